# SPDX-License-Identifier: Apache-2.0
"""Byte streams, dialling of displays, and limits of attempts to connect."""
