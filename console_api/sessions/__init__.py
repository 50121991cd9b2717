# SPDX-License-Identifier: Apache-2.0
"""The domain of sessions through gateways: open, resume, report, close."""
