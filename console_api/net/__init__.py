# SPDX-License-Identifier: Apache-2.0
"""Byte streams and the ways to a display."""
