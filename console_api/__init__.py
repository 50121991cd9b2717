# SPDX-License-Identifier: Apache-2.0
"""A console for every server of a cloud."""
