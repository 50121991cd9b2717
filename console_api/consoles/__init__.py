# SPDX-License-Identifier: Apache-2.0
"""The domain of consoles: what one is, how it is placed and deleted."""
