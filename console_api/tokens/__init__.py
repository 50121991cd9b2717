# SPDX-License-Identifier: Apache-2.0
"""The domain of console auth tokens: issue, check, revoke."""
