# SPDX-License-Identifier: Apache-2.0
"""The agent: makes the consoles that the database says its host has."""
