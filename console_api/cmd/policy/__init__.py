# SPDX-License-Identifier: Apache-2.0
"""The program ``console-api-policy``."""
