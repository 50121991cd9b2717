# SPDX-License-Identifier: Apache-2.0
"""Statements that cut sessions, within the transaction that is the reason.

Gateways learn of it with their next heartbeat.
"""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console_api import session_reasons
from console_api.db import clock, tables
from console_api.db.session_states import IS_CLOSED, IS_PENDING

_sessions = tables.console_sessions.c

# Those that are open, or may still be resumed.
_LIVE = tables.console_sessions.update().where(
    sa.or_(_sessions.closed_at.is_(None), _sessions.secret_hash.is_not(None))
)


def cut_server(connection: Connection, server_id: str) -> None:
    """Cut the sessions of a server whose tokens are revoked."""
    _cut(connection, _sessions.server_id == server_id, session_reasons.REVOKED)


def cut_token(connection: Connection, token_hash: str) -> None:
    """Cut the sessions that a revoked token has opened."""
    _cut(
        connection, _sessions.token_hash == token_hash, session_reasons.REVOKED
    )


def cut_session(connection: Connection, session_id: str) -> None:
    """Cut a session at the request of a user."""
    _cut(connection, _sessions.id == session_id, session_reasons.CUT)


def _cut(
    connection: Connection, which: sa.ColumnElement[bool], reason: str
) -> None:
    # A former reason stays, and a pending session is closed at once.
    # The order of columns matters to MariaDB, which reads new values.
    connection.execute(
        _LIVE.where(which).ordered_values(
            (
                _sessions.cut_reason,
                sa.case(
                    (IS_CLOSED, _sessions.cut_reason),
                    else_=sa.func.coalesce(_sessions.cut_reason, reason),
                ),
            ),
            (
                _sessions.close_reason,
                sa.case((IS_PENDING, reason), else_=_sessions.close_reason),
            ),
            (
                _sessions.closed_at,
                sa.case((IS_PENDING, clock.now()), else_=_sessions.closed_at),
            ),
            (_sessions.secret_hash, None),
        )
    )
