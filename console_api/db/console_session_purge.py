# SPDX-License-Identifier: Apache-2.0
"""Statements that close what no gateway closes, and delete old sessions.

Scopes that no session is counted for any more are deleted with them.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from console_api import session_reasons
from console_api.db import clock, session_states, tables
from console_api.db.engine import Database, retried

_sessions = tables.console_sessions.c
_gateways = tables.console_gateways.c
_tokens = tables.console_auth_tokens.c
_scopes = tables.console_session_scopes

# Seconds without a heartbeat after which a gateway does not return: a reboot
# takes less.
_GATEWAY_LIFETIME = 86400

_IS_GONE = _gateways.last_seen_at < clock.now() - _GATEWAY_LIFETIME

_GONE = sa.select(_gateways.id, _gateways.last_seen_at).where(_IS_GONE)

_CLOSE_PENDING = (
    tables.console_sessions.update()
    .where(session_states.IS_NEVER_CONNECTED)
    .values(
        closed_at=session_states.EXPIRES_AT,
        close_reason=session_reasons.NOT_CONNECTED,
        secret_hash=None,
    )
)

# A session keeps its token from being used again until that is deleted.
# PostgreSQL uses no index for a comparison with its clock, and would read all
# tokens for NOT EXISTS.
_OLD = (
    sa.select(_sessions.id)
    .where(
        _sessions.closed_at < sa.bindparam("before"),
        sa.select(sa.func.count())
        .where(_tokens.token_hash == _sessions.token_hash)
        .correlate(tables.console_sessions)
        .scalar_subquery()
        == 0,
    )
    .order_by(_sessions.closed_at)
    .limit(sa.bindparam("batch_size"))
)


def _is_unused(
    kind: str, column: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    """Return whether a scope is of a kind, and there are no sessions of it."""
    prefix = f"{kind}:"
    name = sa.func.substr(_scopes.c.name, len(prefix) + 1)
    return sa.and_(
        _scopes.c.name.startswith(prefix),
        sa.not_(sa.exists().where(column == name)),
    )


_UNUSED_SCOPES = (
    sa.select(_scopes.c.name, _scopes.c.revision)
    .where(
        _scopes.c.name > sa.bindparam("marker"),
        sa.or_(
            _is_unused("project", _sessions.project_id),
            _is_unused("user", _sessions.user_id),
        ),
    )
    # Those who open sessions lock the scopes in the same order.
    .order_by(_scopes.c.name)
    .limit(sa.bindparam("batch_size"))
)

# A session that is opened concurrently either changes the revision first, or
# finds no scope, and adds it again.
_DELETE_SCOPE = _scopes.delete().where(
    _scopes.c.name == sa.bindparam("scope"),
    _scopes.c.revision == sa.bindparam("unused_revision"),
)


def drop_gateways(database: Database) -> int:
    """Delete gateways that do not return, and close their sessions.

    :returns: the number of gateways
    """
    gone = database.read(_GONE, _identity)
    return sum(_drop(database, *each) for each in gone)


def _identity(gateway_id: str, last_seen_at: int) -> tuple[str, int]:
    return gateway_id, last_seen_at


@retried
def _drop(database: Database, gateway_id: str, last_seen_at: int) -> int:
    with database.transaction() as connection:
        dropped = connection.execute(
            tables.console_gateways.delete().where(
                _gateways.id == gateway_id, _IS_GONE
            )
        ).rowcount
        if dropped:
            connection.execute(
                tables.console_sessions.update()
                .where(
                    _sessions.gateway_id == gateway_id,
                    _sessions.closed_at.is_(None),
                )
                .values(
                    closed_at=last_seen_at,
                    close_reason=session_reasons.GATEWAY_LOST,
                    secret_hash=None,
                )
            )
    return dropped


@retried
def close_pending(database: Database, resume_timeout: int) -> None:
    """Close sessions that no viewer has connected to in time.

    :param resume_timeout: in seconds
    """
    with database.transaction() as connection:
        connection.execute(_CLOSE_PENDING, {"resume_timeout": resume_timeout})


def purge(
    database: Database, retention: int, batch_size: int
) -> Iterator[int]:
    """Delete old sessions in batches, each in a short transaction.

    :param retention: how long to keep closed sessions, in seconds
    :param batch_size: the number of sessions that a transaction locks
    :returns: an iterator that deletes a batch and yields its size
    """
    before = clock.read(database) - retention
    parameters = {"before": before, "batch_size": batch_size}
    while ids := database.read(_OLD, str, parameters):
        yield _delete_batch(database, ids)


@retried
def _delete_batch(database: Database, ids: list[str]) -> int:
    with database.transaction() as connection:
        return connection.execute(
            tables.console_sessions.delete().where(_sessions.id.in_(ids))
        ).rowcount


def purge_scopes(database: Database, batch_size: int) -> None:
    """Delete the scopes of projects and users that have no sessions.

    :param batch_size: the number of scopes that a transaction locks
    """
    marker = ""
    while found := database.read(
        _UNUSED_SCOPES,
        lambda name, revision: {"scope": name, "unused_revision": revision},
        {"marker": marker, "batch_size": batch_size},
    ):
        _delete_scopes(database, found)
        marker = found[-1]["scope"]


@retried
def _delete_scopes(database: Database, unused: list[dict[str, Any]]) -> None:
    with database.transaction() as connection:
        connection.execute(_DELETE_SCOPE, unused)
