# SPDX-License-Identifier: Apache-2.0
"""Statements that open and resume sessions through gateways.

The order of statements in a transaction is always the same: the server,
sessions, then scopes.  Those come last, because all sessions of a project
wait for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exc
from sqlalchemy.engine import Connection

from console_api import session_reasons
from console_api.db import clock, session_cuts, session_limits, tables
from console_api.db.engine import Database, retried
from console_api.db.rows import columns_of
from console_api.db.session_limits import Limits
from console_api.db.session_origins import Origin, Resumable


@dataclass(frozen=True, slots=True)
class Opening:
    """A new session besides its origin: ID, secret, gateway and viewer."""

    id: str
    secret_hash: str = field(repr=False)
    gateway_id: str
    gateway: str
    client_address: str
    proxy_address: str | None


_sessions = tables.console_sessions.c
_tokens = tables.console_auth_tokens.c
_servers = tables.servers.c
_scopes = tables.console_session_scopes

# What changes with the connection of a viewer.
_VIEWER = ("gateway_id", "gateway", "client_address", "proxy_address")

# Wait for a change of the server, which revokes its tokens and cuts its
# sessions, or make it wait.
_LOCK_TOKEN = (
    sa.select(sa.literal(1))
    .select_from(
        tables.console_auth_tokens.join(
            tables.servers, _servers.uuid == _tokens.server_id
        )
    )
    .where(_tokens.token_hash == sa.bindparam("token_hash"))
    .with_for_update(read=True)
)
_LOCK_SERVER = (
    sa.select(sa.literal(1))
    .where(
        _servers.uuid == sa.bindparam("server_id"),
        _servers.project_id == sa.bindparam("project_id"),
    )
    .with_for_update(read=True)
)

# Of a session that is cut, or its viewer could open it again.
_DELETE_TOKEN = tables.console_auth_tokens.delete().where(
    _tokens.token_hash
    == sa.select(_sessions.token_hash)
    .where(_sessions.id == sa.bindparam("session_id"))
    .scalar_subquery()
)

# A write that changes something: Galera would not notice another one.
_LOCK_SCOPE = (
    _scopes.update()
    .where(_scopes.c.name == sa.bindparam("scope"))
    .values(revision=_scopes.c.revision + 1)
)

_LATEST = tables.console_sessions.update().where(
    _sessions.id == sa.bindparam("old_id"),
    _sessions.secret_hash == sa.bindparam("old_secret_hash"),
    _sessions.cut_reason.is_(None),
)

# The gateway of the former session closes it if it is still open.
_RELEASE = _LATEST.values(
    secret_hash=None,
    cut_reason=sa.case(
        (_sessions.closed_at.is_(None), session_reasons.TAKEN_OVER)
    ),
)

# Of a session that is still pending.
_CONNECT = _LATEST.where(_sessions.connected_at.is_(None)).values(
    connected_at=clock.now(),
    last_activity_at=clock.now(),
    **{
        name: sa.bindparam(f"new_{name}", type_=_sessions[name].type)
        for name in _VIEWER
    },
)


# Constant, because building a statement takes as long as running it.  Without
# a maximum duration, the deadline is null.
_NEW: dict[str, Any] = {
    **{
        name: sa.bindparam(name, type_=_sessions[name].type)
        for name in (
            *Opening.__dataclass_fields__,
            *Origin.__dataclass_fields__,
        )
    },
    "created_at": clock.now(),
    "last_activity_at": clock.now(),
}
_INSERT = tables.console_sessions.insert().values(
    **_NEW,
    connected_at=sa.case(
        (sa.bindparam("is_connected", type_=sa.Integer) == 1, clock.now())
    ),
    deadline_at=clock.now()
    + sa.bindparam("max_duration", type_=sa.BigInteger),
    single_use_token_hash=sa.bindparam(
        "single_use_token_hash", type_=sa.String
    ),
)
_INSERT_RESUMED = tables.console_sessions.insert().values(
    **_NEW,
    connected_at=clock.now(),
    deadline_at=sa.bindparam("deadline_at", type_=sa.BigInteger),
    resumed_from=sa.bindparam("resumed_from", type_=sa.String),
)


class ScopeMissing(Exception):
    """A project or user opens its first session: see ``add_scopes``."""


class AlreadyUsed(Exception):
    """Another session used the token, or resumed this one, first."""


class Revoked(Exception):
    """The token was revoked, or its server has changed, concurrently."""


@retried
def add_scopes(database: Database, origin: Origin, limits: Limits) -> None:
    """Add the rows of a project and a user that sessions are counted for."""
    for name in limits.scopes(origin.project_id, origin.user_id):
        try:
            with database.transaction() as connection:
                connection.execute(
                    _scopes.insert(), {"name": name, "revision": 0}
                )
        except db_exc.DBDuplicateEntry:
            # Another request has added it.
            continue


@retried
def insert(
    database: Database,
    opening: Opening,
    origin: Origin,
    limits: Limits,
    *,
    is_single_use: bool,
    is_connected: bool,
    max_duration: int,
) -> None:
    """Store a session that a token opens.

    :param is_connected: whether its viewer is connected already
    :param max_duration: in seconds; 0 means no limit
    :raises ScopeMissing: call ``add_scopes`` and repeat
    :raises Refused: a lock or a limit refuses it
    :raises AlreadyUsed: the token was used
    :raises Revoked: the token was revoked concurrently
    """
    row = {**columns_of(opening), **columns_of(origin)}
    try:
        with database.transaction() as connection:
            _require(connection, _LOCK_TOKEN, row)
            connection.execute(
                _INSERT,
                {
                    **row,
                    "is_connected": int(is_connected),
                    "max_duration": max_duration or None,
                    "single_use_token_hash": (
                        origin.token_hash if is_single_use else None
                    ),
                },
            )
            _lock_scopes(connection, origin, limits)
            session_limits.check(connection, limits, row)
    except db_exc.DBDuplicateEntry as error:
        # IDs and secrets are random: it is the use of the token.
        raise AlreadyUsed from error


@retried
def connect(
    database: Database, pending: Resumable, opening: Opening, limits: Limits
) -> None:
    """Record that the viewer of a pending session has connected.

    It was counted when it was stored.

    :param opening: with the ID of the pending session
    :param limits: those with which it was counted
    :raises ScopeMissing: call ``add_scopes`` and repeat
    :raises Refused: a lock refuses it
    :raises AlreadyUsed: another viewer with the same secret was first
    :raises Revoked: the server has changed concurrently
    """
    row = {**columns_of(opening), **columns_of(pending.origin)}
    with database.transaction() as connection:
        _require(connection, _LOCK_SERVER, row)
        _replace(connection, pending, opening, _CONNECT)
        _lock_scopes(connection, pending.origin, limits)
        session_limits.check(connection, session_limits.NONE, row)


@retried
def resume(
    database: Database, old: Resumable, opening: Opening, limits: Limits
) -> None:
    """Store a session that resumes another one, and end that.

    :raises: see ``connect``; ``Refused`` because of limits, too.  The other
        session can then still be resumed later.
    """
    row = {**columns_of(opening), **columns_of(old.origin)}
    with database.transaction() as connection:
        _require(connection, _LOCK_SERVER, row)
        # Not counted with the session that replaces it.
        _replace(connection, old, opening, _RELEASE)
        connection.execute(
            _INSERT_RESUMED,
            {**row, "resumed_from": old.id, "deadline_at": old.deadline_at},
        )
        _lock_scopes(connection, old.origin, limits)
        session_limits.check(connection, limits, row)


@retried
def cut(database: Database, session_id: str) -> None:
    """Cut a session: its gateway closes it, and nothing resumes it.

    Its token is deleted; other sessions that this has opened continue.
    """
    with database.transaction() as connection:
        connection.execute(_DELETE_TOKEN, {"session_id": session_id})
        session_cuts.cut_session(connection, session_id)


def _lock_scopes(
    connection: Connection, origin: Origin, limits: Limits
) -> None:
    """Wait for others that open sessions of the same project or user."""
    for name in limits.scopes(origin.project_id, origin.user_id):
        if not connection.execute(_LOCK_SCOPE, {"scope": name}).rowcount:
            raise ScopeMissing


def _require(
    connection: Connection,
    statement: sa.Select[Any],
    row: Mapping[str, object],
) -> None:
    """Lock what a session depends on.

    :raises Revoked: it does not exist any more
    """
    if not connection.execute(statement, row).first():
        raise Revoked


def _replace(
    connection: Connection,
    old: Resumable,
    opening: Opening,
    statement: sa.Update,
) -> None:
    values = {f"new_{name}": getattr(opening, name) for name in _VIEWER}
    values |= {"old_id": old.id, "old_secret_hash": opening.secret_hash}
    if not connection.execute(statement, values).rowcount:
        raise AlreadyUsed
