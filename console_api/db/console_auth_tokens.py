# SPDX-License-Identifier: Apache-2.0
"""Statements on console auth tokens."""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exc

from console_api.db import tables
from console_api.db.engine import Database, retried

_tokens = tables.console_auth_tokens.c
_servers = tables.servers.c

#: The one SELECT of a look-up: both tables by their primary keys.
LOOK_UP = (
    sa.select(
        _tokens.server_uuid,
        _tokens.console_type,
        _tokens.host,
        _tokens.port,
        _tokens.tls_port,
        _tokens.internal_access_path,
        _servers.project_id,
    )
    .select_from(
        tables.console_auth_tokens.join(
            tables.servers, _servers.uuid == _tokens.server_uuid
        )
    )
    .where(
        _tokens.token_hash == sa.bindparam("token_hash"),
        _tokens.expires_at > sa.bindparam("now"),
    )
)

_EXPIRED = (
    sa.select(_tokens.token_hash)
    .where(_tokens.expires_at <= sa.bindparam("now"))
    .order_by(_tokens.expires_at)
    .limit(sa.bindparam("batch"))
)

_COUNT_EXPIRED = sa.select(sa.func.count()).where(
    _tokens.expires_at <= sa.bindparam("now")
)


def find(database: Database, token_hash: str, now: int) -> sa.Row[Any] | None:
    """Return a token that is valid at a time, with its server's project."""
    rows = database.read(LOOK_UP, {"token_hash": token_hash, "now": now})
    return rows[0] if rows else None


@retried
def insert(database: Database, values: Mapping[str, Any]) -> bool:
    """Store a token.

    :returns: whether its server was still there
    """
    try:
        with database.transaction() as connection:
            connection.execute(tables.console_auth_tokens.insert(), values)
    except db_exc.DBReferenceError:
        return False
    return True


@retried
def delete(database: Database, token_hash: str) -> bool:
    """Delete a token.

    :returns: whether it was there
    """
    with database.transaction() as connection:
        return bool(
            connection.execute(
                tables.console_auth_tokens.delete().where(
                    _tokens.token_hash == token_hash
                )
            ).rowcount
        )


def count_expired(database: Database, now: int) -> int:
    """Return how many tokens have expired by a time."""
    return int(database.read(_COUNT_EXPIRED, {"now": now})[0][0])


def purge(database: Database, now: int, batch: int) -> Iterator[int]:
    """Delete expired tokens, one short transaction a batch.

    :param batch: how many tokens a transaction deletes, and so locks
    :returns: the number deleted by each batch, as they go
    """
    while True:
        rows = database.read(_EXPIRED, {"now": now, "batch": batch})
        if not rows:
            return
        yield _delete_batch(database, [row.token_hash for row in rows])


@retried
def _delete_batch(database: Database, hashes: list[str]) -> int:
    with database.transaction() as connection:
        return connection.execute(
            tables.console_auth_tokens.delete().where(
                _tokens.token_hash.in_(hashes)
            )
        ).rowcount
