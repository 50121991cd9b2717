# SPDX-License-Identifier: Apache-2.0
"""Statements on console auth tokens."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa

from console_api.db import session_cuts, tables
from console_api.db.engine import Database, retried
from console_api.db.rows import columns_of
from console_api.db.servers import Endpoint

_tokens = tables.console_auth_tokens.c
_servers = tables.servers.c
_endpoints = tables.server_endpoints.c
_sessions = tables.console_sessions.c

#: The one SELECT of a look-up: both tables by their primary keys, and whether
#: the token was used by an index.  Its columns are those of
#: ``ConnectionInfo``.
LOOK_UP = (
    sa.select(
        _tokens.server_id,
        _servers.project_id,
        _tokens.console_type,
        _tokens.host,
        _tokens.port,
        _tokens.tls_port,
        _tokens.internal_access_path,
        _tokens.view_only,
        sa.exists().where(
            _sessions.single_use_token_hash == _tokens.token_hash
        ),
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

# The current endpoint, not the one that was read before: `servers.update`,
# which revokes tokens to the old one, may be running.
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
    "view_only": sa.bindparam("view_only", type_=sa.Boolean),
    "exclusive": sa.bindparam("exclusive", type_=sa.Boolean),
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
        _servers.uuid == sa.bindparam("server_id"),
        _servers.project_id == sa.bindparam("project_id"),
        _endpoints.protocol == sa.bindparam("protocol"),
    )
    # Waits for such an update, or makes it wait.
    .with_for_update(read=True),
)

# The endpoint that a directory returned, if the server still exists.
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
        _servers.uuid == sa.bindparam("server_id"),
        _servers.project_id == sa.bindparam("project_id"),
        _servers.compute_host == sa.bindparam("compute_host"),
    )
    .with_for_update(read=True),
)

_EXPIRED = (
    sa.select(_tokens.token_hash)
    .where(_tokens.expires_at <= sa.bindparam("now"))
    .order_by(_tokens.expires_at)
    .limit(sa.bindparam("batch_size"))
)

_OF_SERVER = (
    sa.select(_tokens.token_hash)
    .where(_tokens.server_id == sa.bindparam("server_id"))
    .limit(1)
)

_COUNT_EXPIRED = sa.select(sa.func.count()).where(
    _tokens.expires_at <= sa.bindparam("now")
)


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """What a valid token grants access to, with the project of its server.

    ``is_used`` is whether it could be used only once, by a session.
    """

    server_id: str
    project_id: str
    console_type: str
    host: str
    port: int
    tls_port: int | None
    internal_access_path: str | None
    view_only: bool = False
    is_used: bool = False


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to store; ``expires_at`` is in seconds since the epoch.

    It is stored only if the server still belongs to the project.
    """

    token_hash: str = field(repr=False)
    server_id: str
    project_id: str
    compute_host: str
    protocol: str
    console_type: str
    user_id: str | None
    expires_at: int
    view_only: bool = False
    exclusive: bool = False


def find(
    database: Database, token_hash: str, now: int
) -> ConnectionInfo | None:
    """Return what a token grants access to, None if it is not valid.

    :param now: in seconds since the epoch
    """
    rows = database.read(
        LOOK_UP, ConnectionInfo, {"token_hash": token_hash, "now": now}
    )
    return rows[0] if rows else None


@retried
def insert(
    database: Database, token: NewToken, endpoint: Endpoint | None = None
) -> bool:
    """Store a token for the endpoint of a server for a protocol.

    :param endpoint: the endpoint, if it is not in the table of endpoints
    :returns: whether the server still exists, belongs to the project, and has
        such an endpoint
    """
    columns = columns_of(token)
    with database.transaction() as connection:
        if endpoint is not None:
            columns.update(columns_of(endpoint))
            return bool(connection.execute(_INSERT_GIVEN, columns).rowcount)
        # PostgreSQL does not see an endpoint that replaced the one that it
        # waited for; a second statement does.
        return any(
            connection.execute(_INSERT, columns).rowcount for _ in range(2)
        )


@retried
def delete(database: Database, token_hash: str) -> bool:
    """Delete a token, and cut its sessions.

    :returns: whether it existed
    """
    with database.transaction() as connection:
        deleted = connection.execute(
            tables.console_auth_tokens.delete().where(
                _tokens.token_hash == token_hash
            )
        ).rowcount
        session_cuts.cut_token(connection, token_hash)
    return bool(deleted)


def exist(database: Database, server_id: str) -> bool:
    """Return whether a server has tokens, which may have expired."""
    return bool(database.read(_OF_SERVER, str, {"server_id": server_id}))


@retried
def delete_of_server(database: Database, server_id: str) -> bool:
    """Delete the tokens of a server, and cut its sessions.

    :returns: whether the server is stored
    """
    with database.transaction() as connection:
        # This changes nothing, but waits for tokens that are being inserted.
        is_stored = connection.execute(
            tables.servers.update()
            .where(_servers.uuid == server_id)
            .values(uuid=server_id)
        ).rowcount
        connection.execute(
            tables.console_auth_tokens.delete().where(
                _tokens.server_id == server_id
            )
        )
        session_cuts.cut_server(connection, server_id)
    return bool(is_stored)


def count_expired(database: Database, now: int) -> int:
    """Return the number of expired tokens.

    :param now: in seconds since the epoch
    """
    [number] = database.read(_COUNT_EXPIRED, int, {"now": now})
    return number


def purge(database: Database, now: int, batch_size: int) -> Iterator[int]:
    """Delete expired tokens in batches, each in a short transaction.

    :param batch_size: the number of tokens that a transaction locks
    :returns: an iterator that deletes a batch and yields its size
    """
    parameters = {"now": now, "batch_size": batch_size}
    while hashes := database.read(_EXPIRED, str, parameters):
        yield _delete_batch(database, hashes)


@retried
def _delete_batch(database: Database, hashes: list[str]) -> int:
    with database.transaction() as connection:
        return connection.execute(
            tables.console_auth_tokens.delete().where(
                _tokens.token_hash.in_(hashes)
            )
        ).rowcount
