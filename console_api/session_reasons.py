# SPDX-License-Identifier: Apache-2.0
"""Why sessions are cut or closed, as the API, tables and audit events say.

Gateways report more reasons: the labels of ``gateway.close_reasons``.
"""

#: Why a gateway has to close a session.
CUT = "cut"
REVOKED = "revoked"
LOCKED = "locked"
TAKEN_OVER = "taken_over"

#: Why the API closes a session itself: no viewer has connected in time, or
#: its gateway sends no heartbeats.
NOT_CONNECTED = "not_connected"
GATEWAY_LOST = "gateway_lost"

#: Reasons after which a session cannot be resumed.
FINAL = (CUT, REVOKED, LOCKED, "violation", "idle_timeout", "time_limit")
