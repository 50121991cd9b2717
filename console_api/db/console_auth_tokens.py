# SPDX-License-Identifier: Apache-2.0
"""Statements on console auth tokens."""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from console_api.db import tables
from console_api.db.engine import Database, retried

_tokens = tables.console_auth_tokens.c
_servers = tables.servers.c
_endpoints = tables.server_endpoints.c

#: The one SELECT of a look-up: both tables by their primary keys.
LOOK_UP = (
    sa.select(
        _tokens.server_id,
        _tokens.console_type,
        _tokens.host,
        _tokens.port,
        _tokens.tls_port,
        _tokens.internal_access_path,
        _servers.project_id,
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

# The endpoint as it is now, not as it was read before: `servers.update`, which
# revokes tokens to the old one, may be at work.
_NEW = {
    "token_hash": sa.bindparam("token_hash", type_=sa.String),
    "server_id": _servers.uuid,
    "console_type": sa.bindparam("console_type", type_=sa.String),
    "host": _endpoints.host,
    "port": _endpoints.port,
    "tls_port": _endpoints.tls_port,
    "internal_access_path": _endpoints.internal_access_path,
    "user_id": sa.bindparam("user_id", type_=sa.String),
    "expires_at": sa.bindparam("expires_at", type_=sa.BigInteger),
}

_ENDPOINT = ("host", "port", "tls_port", "internal_access_path")

_INSERT = tables.console_auth_tokens.insert().from_select(
    list(_NEW),
    sa.select(*_NEW.values())
    .select_from(
        tables.servers.join(
            tables.server_endpoints, _endpoints.server_id == _servers.uuid
        )
    )
    .where(
        _servers.uuid == sa.bindparam("uuid"),
        _servers.project_id == sa.bindparam("project_id"),
        _endpoints.protocol == sa.bindparam("protocol"),
    )
    # Waits for such an update, or lets it wait.
    .with_for_update(read=True),
)

# The endpoint as a directory has given it, if the server is still there.
_INSERT_GIVEN = tables.console_auth_tokens.insert().from_select(
    list(_NEW),
    sa.select(
        *(
            sa.bindparam(name, type_=_tokens[name].type)
            if name in _ENDPOINT
            else value
            for name, value in _NEW.items()
        )
    )
    .where(
        _servers.uuid == sa.bindparam("uuid"),
        _servers.project_id == sa.bindparam("project_id"),
        _servers.compute_host == sa.bindparam("compute_host"),
    )
    .with_for_update(read=True),
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
def insert(
    database: Database,
    values: Mapping[str, Any],
    endpoint: Mapping[str, Any] | None = None,
) -> bool:
    """Store a token for the endpoint that a server has for a protocol.

    :param values: token_hash, uuid, project_id and compute_host of the
        server, protocol, console_type, user_id, expires_at
    :param endpoint: host, port, tls_port and internal_access_path, if the
        endpoints of the server are not in our tables
    :returns: whether the server was still there, of this project, with an
        endpoint of this protocol
    """
    with database.transaction() as connection:
        if endpoint is not None:
            given = connection.execute(_INSERT_GIVEN, {**values, **endpoint})
            return bool(given.rowcount)
        # PostgreSQL does not see an endpoint that has taken the place of the
        # one that it waited for; another statement does.
        return any(
            connection.execute(_INSERT, values).rowcount for _ in range(2)
        )


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
