# SPDX-License-Identifier: Apache-2.0
"""Tests, which run with the oldest and the newest supported libraries."""
