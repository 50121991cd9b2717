# SPDX-License-Identifier: Apache-2.0
"""The key repository that encrypts console passwords, and its rotation."""
