# SPDX-License-Identifier: Apache-2.0
"""The audit trail of sessions, which the API and gateways share."""
