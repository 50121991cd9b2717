# SPDX-License-Identifier: Apache-2.0
"""Statements on sessions, with the state that follows from heartbeats."""

import functools
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from console_api import session_reasons
from console_api.db import tables
from console_api.db.engine import Database
from console_api.db.rows import columns_of
from console_api.db.session_states import (
    EXPIRES_AT,
    IS_CLOSED,
    IS_NEVER_CONNECTED,
    IS_ORPHANED,
    STATE,
    STATES,
)
from console_api.values import SessionState

_sessions = tables.console_sessions.c
_gateways = tables.console_gateways.c

# Of each session, in the order of ``ListedSession``.
_COLUMNS = (
    _sessions.id,
    _sessions.server_id,
    _sessions.project_id,
    _sessions.user_id,
    _sessions.console_type,
    _sessions.view_only,
    _sessions.gateway,
    _sessions.client_address,
    _sessions.proxy_address,
    STATE,
    _sessions.created_at,
    _sessions.connected_at,
    sa.case(
        (IS_CLOSED, _sessions.closed_at),
        (IS_NEVER_CONNECTED, EXPIRES_AT),
        (IS_ORPHANED, _gateways.last_seen_at),
    ),
    sa.case(
        (IS_CLOSED, _sessions.close_reason),
        (IS_NEVER_CONNECTED, session_reasons.NOT_CONNECTED),
        (IS_ORPHANED, session_reasons.GATEWAY_LOST),
    ),
    _sessions.bytes_in,
    _sessions.bytes_out,
    _sessions.last_activity_at,
    _sessions.resumed_from,
)

_FILTERS = ("project_id", "server_id", "user_id", "gateway")


@dataclass(frozen=True, slots=True)
class SessionFilters:
    """Values that sessions must have to be listed; None means any."""

    state: SessionState
    project_id: str | None = None
    server_id: str | None = None
    user_id: str | None = None
    gateway: str | None = None


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A session; times are in seconds since the epoch.

    ``connected_at`` is None before a viewer has connected, ``closed_at`` and
    ``close_reason`` until it is closed.  ``bytes_in`` and ``bytes_out`` are
    those from and to the viewer, as last reported.
    """

    id: str
    server_id: str
    project_id: str
    user_id: str | None
    console_type: str
    view_only: bool
    gateway: str
    client_address: str
    proxy_address: str | None
    state: str
    created_at: int
    connected_at: int | None
    closed_at: int | None
    close_reason: str | None
    bytes_in: int
    bytes_out: int
    last_activity_at: int
    resumed_from: str | None


def list_page(
    database: Database,
    filters: SessionFilters,
    *,
    resume_timeout: int,
    marker: str,
    limit: int,
) -> list[ListedSession]:
    """Return sessions in the order of their IDs.

    :param resume_timeout: seconds after which a session that was not connected
        is closed
    :param marker: the ID after which to start
    :param limit: the maximum number of sessions
    :raises DatabaseUnavailable: the database does not respond
    """
    given = {
        name: value
        for name, value in columns_of(filters).items()
        if name in _FILTERS and value is not None
    }
    return database.read(
        _select_page(frozenset(given), filters.state),
        ListedSession,
        {
            **given,
            "resume_timeout": resume_timeout,
            "marker": marker,
            "limit": limit,
        },
    )


def get(
    database: Database, session_id: str, *, resume_timeout: int
) -> ListedSession | None:
    """Return a session, None if there is no such.

    :raises DatabaseUnavailable: the database does not respond
    """
    rows = database.read(
        _GET,
        ListedSession,
        {"session_id": session_id, "resume_timeout": resume_timeout},
    )
    return rows[0] if rows else None


def _select() -> sa.Select[Any]:
    return sa.select(*_COLUMNS).select_from(
        tables.console_sessions.outerjoin(
            tables.console_gateways, _gateways.id == _sessions.gateway_id
        )
    )


_GET = _select().where(_sessions.id == sa.bindparam("session_id"))


# Few statements: subsets of the filters times states.
@functools.cache
def _select_page(names: frozenset[str], state: SessionState) -> sa.Select[Any]:
    found = _select().where(
        _sessions.id > sa.bindparam("marker"),
        *(_sessions[name] == sa.bindparam(name) for name in sorted(names)),
        STATES[state],
    )
    return found.order_by(_sessions.id).limit(sa.bindparam("limit"))
