# SPDX-License-Identifier: Apache-2.0
"""Statements that find what a token or a secret opens."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from console_api.db import clock, session_states, tables
from console_api.db.engine import Database

_sessions = tables.console_sessions.c
_tokens = tables.console_auth_tokens.c
_servers = tables.servers.c

# What a session inherits from the token that opens it.
_INHERITED = (
    "host",
    "port",
    "tls_port",
    "internal_access_path",
    "view_only",
    "exclusive",
)

_FIND_TOKEN = (
    sa.select(
        _tokens.token_hash,
        _tokens.server_id,
        _servers.project_id,
        _tokens.user_id,
        _tokens.console_type,
        _servers.compute_host,
        *(_tokens[name] for name in _INHERITED),
    )
    .select_from(
        tables.console_auth_tokens.join(
            tables.servers, _servers.uuid == _tokens.server_id
        )
    )
    .where(
        _tokens.token_hash == sa.bindparam("token_hash"),
        _tokens.expires_at > sa.bindparam("now"),
    )
)

_FIND_RESUMABLE = sa.select(
    _sessions.id,
    _sessions.created_at,
    _sessions.connected_at,
    sa.func.coalesce(_sessions.closed_at, session_states.LOST_AT),
    _sessions.deadline_at,
    clock.now(),
    _sessions.token_hash,
    _sessions.server_id,
    _sessions.project_id,
    _sessions.user_id,
    _sessions.console_type,
    _sessions.compute_host,
    *(_sessions[name] for name in _INHERITED),
).where(
    _sessions.secret_hash == sa.bindparam("secret_hash"),
    _sessions.cut_reason.is_(None),
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a session leads, and who opened it."""

    token_hash: str = field(repr=False)
    server_id: str
    project_id: str
    user_id: str | None
    console_type: str
    compute_host: str | None
    host: str
    port: int
    tls_port: int | None
    internal_access_path: str | None
    view_only: bool
    exclusive: bool


@dataclass(frozen=True, slots=True)
class Resumable:
    """The latest session of a secret; times are in seconds since the epoch.

    ``connected_at`` is None before the first connection, ``ended_at`` while
    it is open, and ``deadline_at`` if it has no time limit.  ``now`` is when
    it was read.
    """

    id: str
    created_at: int
    connected_at: int | None
    ended_at: int | None
    deadline_at: int | None
    now: int
    origin: Origin


def find_token(database: Database, token_hash: str, now: int) -> Origin | None:
    """Return what a token leads to, None if it is not valid.

    :param now: in seconds since the epoch
    """
    rows = database.read(
        _FIND_TOKEN, Origin, {"token_hash": token_hash, "now": now}
    )
    return rows[0] if rows else None


def find_resumable(database: Database, secret_hash: str) -> Resumable | None:
    """Return the latest session of a secret, None if it cannot be resumed."""
    rows = database.read(
        _FIND_RESUMABLE,
        _resumable,
        {"secret_hash": secret_hash},
    )
    return rows[0] if rows else None


def _resumable(*row: Any) -> Resumable:
    id_, created_at, connected_at, ended_at, deadline_at, now, *rest = row
    return Resumable(
        id_,
        created_at,
        connected_at,
        ended_at,
        deadline_at,
        now,
        Origin(*rest),
    )
