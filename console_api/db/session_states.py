# SPDX-License-Identifier: Apache-2.0
"""The state of a session, in SQL.

Gateways set ``connected_at`` and ``closed_at``.  A session is closed as well
if no viewer has connected in time, or if its gateway sends no heartbeats.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from console_api.db import clock, tables
from console_api.values import SessionState

_sessions = tables.console_sessions.c
_gateways = tables.console_gateways.c

#: How many intervals may pass between two heartbeats of a gateway.
MISSED_HEARTBEATS = 2

#: Whether the gateway of a session counts as dead.
IS_LOST = (
    _gateways.last_seen_at + MISSED_HEARTBEATS * _gateways.heartbeat_interval
    < clock.now()
)

#: When the gateway of a session was last seen, null if it is alive.
LOST_AT = (
    sa.select(_gateways.last_seen_at)
    .where(_gateways.id == _sessions.gateway_id, IS_LOST)
    .scalar_subquery()
)

IS_CLOSED = _sessions.closed_at.is_not(None)

#: Whether no viewer has connected yet.
IS_PENDING = sa.and_(
    _sessions.closed_at.is_(None), _sessions.connected_at.is_(None)
)

#: Whether a viewer has connected, and the gateway has not closed it.
IS_CONNECTED = sa.and_(
    _sessions.closed_at.is_(None), _sessions.connected_at.is_not(None)
)

#: When a pending session is closed, with ``resume_timeout`` in seconds.
EXPIRES_AT = _sessions.created_at + sa.bindparam(
    "resume_timeout", type_=sa.Integer
)

_IS_EXPIRED = clock.now() >= EXPIRES_AT

#: Whether no viewer has connected in time.
IS_NEVER_CONNECTED = sa.and_(IS_PENDING, _IS_EXPIRED)

_IS_GATEWAY_LOST = sa.or_(_gateways.id.is_(None), IS_LOST)

#: Whether its gateway has gone, in an outer join with the gateways.
IS_ORPHANED = sa.and_(IS_CONNECTED, _IS_GATEWAY_LOST)

#: Conditions by state, in an outer join with the gateways.
STATES: Mapping[str, sa.ColumnElement[bool]] = {
    SessionState.OPEN: sa.and_(IS_CONNECTED, sa.not_(_IS_GATEWAY_LOST)),
    SessionState.PENDING: sa.and_(IS_PENDING, sa.not_(_IS_EXPIRED)),
    SessionState.CLOSED: sa.or_(IS_CLOSED, IS_NEVER_CONNECTED, IS_ORPHANED),
}
STATE = sa.case(
    *((condition, str(state)) for state, condition in STATES.items())
)
