# SPDX-License-Identifier: Apache-2.0
"""The programs, one module each; the commands of one share its name."""
