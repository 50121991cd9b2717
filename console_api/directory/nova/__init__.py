# SPDX-License-Identifier: Apache-2.0
"""The directory that asks Nova."""
