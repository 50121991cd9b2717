# SPDX-License-Identifier: Apache-2.0
"""Statements on servers and their endpoints."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exc

from console_api import errors
from console_api.db import consoles, tables
from console_api.db.engine import Database, retried

_servers = tables.servers.c
_endpoints = tables.server_endpoints.c

_GET = sa.select(
    tables.servers,
    *[column for column in _endpoints if column.name != "server_uuid"],
).select_from(
    tables.servers.outerjoin(
        tables.server_endpoints, _endpoints.server_uuid == _servers.uuid
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
) -> None:
    """Store new servers with their endpoints, all of them or none.

    :raises AlreadyExists: one of the servers is stored already
    """
    try:
        with database.transaction() as connection:
            for batch in _batches(servers):
                connection.execute(tables.servers.insert(), batch)
            for batch in _batches(endpoints):
                connection.execute(tables.server_endpoints.insert(), batch)
    except db_exc.DBDuplicateEntry as error:
        raise errors.AlreadyExists(
            "A server with this UUID is there already. Change it with "
            "`server set`."
        ) from error


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

    The console auth tokens of an endpoint that changes are revoked: they
    lead to where the server no longer is.

    :returns: whether the server is there
    """
    protocols = [endpoint["protocol"] for endpoint in endpoints]
    protocols.extend(removed_protocols)
    with database.transaction() as connection:
        # The write comes first, for the lock on the server's row; a server
        # keeps its UUID, so that this changes nothing by itself.
        if not connection.execute(
            tables.servers.update()
            .where(_servers.uuid == uuid)
            .values({"uuid": uuid, **values})
        ).rowcount:
            return False
        if protocols:
            connection.execute(
                tables.server_endpoints.delete().where(
                    _endpoints.server_uuid == uuid,
                    _endpoints.protocol.in_(protocols),
                )
            )
            connection.execute(
                tables.console_auth_tokens.delete().where(
                    tables.console_auth_tokens.c.server_uuid == uuid
                )
            )
        if endpoints:
            connection.execute(
                tables.server_endpoints.insert(), list(endpoints)
            )
    return True


@retried
def delete(database: Database, uuid: str) -> bool:
    """Delete a server and all that hangs on it.

    :returns: whether it was there
    """
    tokens = tables.console_auth_tokens
    with database.transaction() as connection:
        # Takes the lock on the server's row first: a console or token that
        # is being made for it waits and then finds no server.
        if not connection.execute(
            tables.servers.update()
            .where(_servers.uuid == uuid)
            .values(uuid=uuid)
        ).rowcount:
            return False
        consoles.delete_of_server(connection, uuid)
        connection.execute(tokens.delete().where(tokens.c.server_uuid == uuid))
        connection.execute(
            tables.server_endpoints.delete().where(
                _endpoints.server_uuid == uuid
            )
        )
        connection.execute(
            tables.servers.delete().where(_servers.uuid == uuid)
        )
    return True


def _batches(
    rows: Sequence[Mapping[str, Any]],
) -> Iterable[list[Mapping[str, Any]]]:
    for start in range(0, len(rows), _BATCH):
        yield list(rows[start : start + _BATCH])
