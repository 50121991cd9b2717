# SPDX-License-Identifier: Apache-2.0
"""Statements on servers and their endpoints."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exc
from sqlalchemy.engine import Connection

from console_api import errors
from console_api.db import consoles, tables
from console_api.db.engine import Database, retried

_servers = tables.servers.c
_endpoints = tables.server_endpoints.c

_GET = sa.select(
    tables.servers,
    *[column for column in _endpoints if column.name != "server_id"],
).select_from(
    tables.servers.outerjoin(
        tables.server_endpoints, _endpoints.server_id == _servers.uuid
    )
)

_GET_ONE = _GET.where(_servers.uuid == sa.bindparam("uuid"))

_LIST = (
    sa.select(tables.servers)
    .where(_servers.uuid > sa.bindparam("marker"))
    .order_by(_servers.uuid)
    .limit(sa.bindparam("limit"))
)

# How many rows one INSERT carries: well under every database's limits.
_BATCH = 500


def get(database: Database, uuid: str) -> Sequence[sa.Row[Any]]:
    """Return a server, one row an endpoint (nulls if it has none), or none."""
    return database.read(_GET_ONE, {"uuid": uuid})


def list_page(
    database: Database, marker: str, limit: int
) -> Sequence[sa.Row[Any]]:
    """Return the servers after a uuid, in the order of their uuids."""
    return database.read(_LIST, {"marker": marker, "limit": limit})


@retried
def insert(
    database: Database,
    servers: Sequence[Mapping[str, Any]],
    endpoints: Sequence[Mapping[str, Any]],
    progress: Callable[[int], None] | None = None,
) -> None:
    """Store new servers with their endpoints, all of them or none.

    :param progress: called with the number of rows written until then
    :raises AlreadyExists: one of the servers is stored already
    """
    rows = (
        (tables.servers.insert(), servers),
        (tables.server_endpoints.insert(), endpoints),
    )
    written = 0
    try:
        with database.transaction() as connection:
            for statement, values in rows:
                for batch in _batches(values):
                    connection.execute(statement, batch)
                    written += len(batch)
                    if progress:
                        progress(written)
    except db_exc.DBDuplicateEntry as error:
        raise errors.AlreadyExists(
            "A server with this UUID already exists."
        ) from error


def count(database: Database) -> int:
    """Return how many servers there are."""
    rows = database.read(
        sa.select(sa.func.count()).select_from(tables.servers)
    )
    return int(rows[0][0])


def existing(database: Database, uuids: Sequence[str]) -> set[str]:
    """Return which of these UUIDs are stored."""
    found: set[str] = set()
    for start in range(0, len(uuids), _BATCH):
        batch = uuids[start : start + _BATCH]
        rows = database.read(
            sa.select(_servers.uuid).where(_servers.uuid.in_(batch))
        )
        found.update(row.uuid for row in rows)
    return found


@retried
def update(
    database: Database,
    uuid: str,
    values: Mapping[str, Any],
    endpoints: Sequence[Mapping[str, Any]],
    removed_protocols: Sequence[str],
) -> bool:
    """Change a server; endpoints given replace those of their protocol.

    Its console auth tokens are revoked when it changes project, compute host
    or endpoints: they lead to where the server no longer is, or were given
    to whom it no longer belongs.  When it changes project, its consoles go
    too, since their passwords are known.

    :returns: whether the server is there
    """
    protocols = [endpoint["protocol"] for endpoint in endpoints]
    protocols.extend(removed_protocols)
    with database.transaction() as connection:
        server = _lock(connection, uuid)
        if server is None:
            return False
        if values:
            _set_values(connection, server, values)
        if protocols:
            connection.execute(
                tables.server_endpoints.delete().where(
                    _endpoints.server_id == uuid,
                    _endpoints.protocol.in_(protocols),
                )
            )
        if endpoints:
            connection.execute(
                tables.server_endpoints.insert(), list(endpoints)
            )
        if protocols or values.keys() & {"project_id", "compute_host"}:
            _revoke_tokens(connection, uuid)
    return True


@retried
def delete(database: Database, uuid: str) -> bool:
    """Delete a server and all that hangs on it.

    :returns: whether it was there
    """
    with database.transaction() as connection:
        if _lock(connection, uuid) is None:
            return False
        consoles.delete_of_server(connection, uuid)
        _revoke_tokens(connection, uuid)
        connection.execute(
            tables.server_endpoints.delete().where(
                _endpoints.server_id == uuid
            )
        )
        connection.execute(
            tables.servers.delete().where(_servers.uuid == uuid)
        )
    return True


def _lock(connection: Connection, uuid: str) -> sa.Row[Any] | None:
    """Take the lock on a server's row and return it, if it is there.

    A console or token that is being made for the server is either there
    afterwards or waits until the transaction has ended.
    """
    where = _servers.uuid == uuid
    # This changes nothing, but SQLite locks by a write alone; PostgreSQL
    # lets new references to a row pass unless the lock is FOR UPDATE.
    connection.execute(tables.servers.update().where(where).values(uuid=uuid))
    return connection.execute(
        sa.select(tables.servers).where(where).with_for_update()
    ).first()


def _set_values(
    connection: Connection, old: sa.Row[Any], values: Mapping[str, Any]
) -> None:
    if values.get("project_id", old.project_id) != old.project_id:
        consoles.delete_of_server(connection, old.uuid)
    connection.execute(
        tables.servers.update().where(_servers.uuid == old.uuid).values(values)
    )
    if values.keys() & {"instance_name", "compute_host"}:
        consoles.follow_server(
            connection,
            old.uuid,
            values.get("instance_name", old.instance_name),
        )


def _revoke_tokens(connection: Connection, uuid: str) -> None:
    tokens = tables.console_auth_tokens
    connection.execute(tokens.delete().where(tokens.c.server_id == uuid))


def _batches(
    rows: Sequence[Mapping[str, Any]],
) -> Iterable[list[Mapping[str, Any]]]:
    for start in range(0, len(rows), _BATCH):
        yield list(rows[start : start + _BATCH])
