# SPDX-License-Identifier: Apache-2.0
"""Agent: serves the consoles that the database assigns to its host."""
