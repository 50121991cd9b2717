# SPDX-License-Identifier: Apache-2.0
"""Statements on servers and their endpoints."""

from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from typing import Any, TypedDict

import sqlalchemy as sa
from oslo_db import exception as db_exc
from sqlalchemy.engine import Connection

from console_api import errors
from console_api.db import server_consoles, session_cuts, tables
from console_api.db.engine import Database, retried
from console_api.db.rows import columns_of, in_batches

_servers = tables.servers.c
_endpoints = tables.server_endpoints.c

# The columns of ``Server`` and of ``Endpoint``.
_SERVER = (
    _servers.uuid,
    _servers.project_id,
    _servers.name,
    _servers.instance_name,
    _servers.compute_host,
)
_ENDPOINT = (
    _endpoints.host,
    _endpoints.port,
    _endpoints.tls_port,
    _endpoints.internal_access_path,
)

_GET = (
    sa.select(*_SERVER, _endpoints.protocol, *_ENDPOINT)
    .select_from(
        tables.servers.outerjoin(
            tables.server_endpoints, _endpoints.server_id == _servers.uuid
        )
    )
    .where(_servers.uuid == sa.bindparam("uuid"))
)

_LIST = (
    sa.select(*_SERVER)
    .where(_servers.uuid > sa.bindparam("marker"))
    .order_by(_servers.uuid)
    .limit(sa.bindparam("limit"))
)

_COUNT = sa.select(sa.func.count()).select_from(tables.servers)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of the display of a server, usually its compute host's.

    ``internal_access_path`` is the path of an HTTP CONNECT request that
    precedes the protocol, None for a plain connection.
    """

    host: str
    port: int
    tls_port: int | None = None
    internal_access_path: str | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A server with its endpoints, by protocol.

    ``compute_host`` is None until the server is scheduled.
    """

    uuid: str
    project_id: str
    name: str
    instance_name: str
    compute_host: str | None
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)


class ServerChanges(TypedDict, total=False):
    """Columns of a server to change."""

    project_id: str
    name: str
    instance_name: str
    compute_host: str | None


def get(database: Database, uuid: str) -> Server | None:
    """Return a server with its endpoints, None if it is not stored."""
    rows = database.read(_GET, _columns, {"uuid": uuid})
    if not rows:
        return None
    uuid, project_id, name, instance_name, compute_host, *_ = rows[0]
    endpoints = {
        protocol: Endpoint(*endpoint)
        for protocol, *endpoint in (row[len(_SERVER) :] for row in rows)
        if protocol is not None
    }
    return Server(
        uuid, project_id, name, instance_name, compute_host, endpoints
    )


def _columns(*columns: Any) -> tuple[Any, ...]:
    return columns


def list_page(database: Database, marker: str, limit: int) -> Sequence[Server]:
    """Return servers in the order of their UUIDs, without their endpoints.

    :param marker: the UUID after which to start
    :param limit: the maximum number of servers
    """
    return database.read(_LIST, Server, {"marker": marker, "limit": limit})


@retried
def insert(
    database: Database,
    servers: Sequence[Server],
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Store new servers with their endpoints, all of them or none.

    :param progress: called with the number of rows written, and of all rows
    :raises AlreadyExists: one of the servers is already stored
    """
    total = sum(1 + len(server.endpoints) for server in servers)
    written = 0
    try:
        with database.transaction() as connection:
            for statement, rows in (
                (tables.servers.insert(), map(_server_row, servers)),
                (tables.server_endpoints.insert(), _endpoint_rows(servers)),
            ):
                for batch in in_batches(rows):
                    connection.execute(statement, batch)
                    written += len(batch)
                    if progress:
                        progress(written, total)
    except db_exc.DBDuplicateEntry as error:
        raise errors.AlreadyExists(
            "A server with this UUID already exists."
        ) from error


def count(database: Database) -> int:
    """Return the number of servers."""
    [number] = database.read(_COUNT, int)
    return number


def existing(database: Database, uuids: Iterable[str]) -> set[str]:
    """Return which of these UUIDs are stored."""
    found: set[str] = set()
    for batch in in_batches(uuids):
        statement = sa.select(_servers.uuid).where(_servers.uuid.in_(batch))
        found.update(database.read(statement, str))
    return found


@retried
def update(
    database: Database,
    uuid: str,
    changes: ServerChanges,
    endpoints: Mapping[str, Endpoint],
    removed_protocols: Collection[str] = (),
) -> bool:
    """Change a server.

    A change of project, compute host or endpoints revokes its console auth
    tokens and cuts its sessions, which lead to a former place of the server,
    or belong to its former project.  A change of project also deletes its
    consoles, whose passwords the former project knows.

    :param endpoints: new endpoints by protocol
    :param removed_protocols: protocols whose endpoints are deleted
    :returns: whether the server exists
    """
    protocols = [*endpoints, *removed_protocols]
    with database.transaction() as connection:
        server = _lock(connection, uuid)
        if server is None:
            return False
        if changes:
            _apply(connection, server, changes)
        if protocols:
            connection.execute(
                tables.server_endpoints.delete().where(
                    _endpoints.server_id == uuid,
                    _endpoints.protocol.in_(protocols),
                )
            )
        if endpoints:
            connection.execute(
                tables.server_endpoints.insert(),
                [_endpoint_row(uuid, *item) for item in endpoints.items()],
            )
        if protocols or changes.keys() & {"project_id", "compute_host"}:
            _revoke_tokens(connection, uuid)
    return True


@retried
def delete(database: Database, uuid: str) -> bool:
    """Delete a server with its endpoints, consoles and tokens; cut sessions.

    :returns: whether it existed
    """
    with database.transaction() as connection:
        if _lock(connection, uuid) is None:
            return False
        server_consoles.delete(connection, uuid)
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


def _lock(connection: Connection, uuid: str) -> Server | None:
    """Lock the row of a server, and return the server without endpoints.

    A console or token that is being created for the server is either stored
    afterwards, or waits until the transaction ends.
    """
    # PostgreSQL permits new references to a row unless it is locked so.
    row = connection.execute(
        sa.select(*_SERVER).where(_servers.uuid == uuid).with_for_update()
    ).first()
    return None if row is None else Server(*row)


def _apply(
    connection: Connection, old: Server, changes: ServerChanges
) -> None:
    if changes.get("project_id", old.project_id) != old.project_id:
        server_consoles.delete(connection, old.uuid)
    connection.execute(
        tables.servers.update()
        .where(_servers.uuid == old.uuid)
        .values({**changes})
    )
    if changes.keys() & {"instance_name", "compute_host"}:
        server_consoles.update(
            connection,
            old.uuid,
            changes.get("instance_name", old.instance_name),
        )


def _revoke_tokens(connection: Connection, uuid: str) -> None:
    tokens = tables.console_auth_tokens
    connection.execute(tokens.delete().where(tokens.c.server_id == uuid))
    session_cuts.cut_server(connection, uuid)


def _server_row(server: Server) -> dict[str, Any]:
    row = columns_of(server)
    del row["endpoints"]
    return row


def _endpoint_rows(servers: Iterable[Server]) -> Iterator[dict[str, Any]]:
    for server in servers:
        for protocol, endpoint in server.endpoints.items():
            yield _endpoint_row(server.uuid, protocol, endpoint)


def _endpoint_row(
    server_id: str, protocol: str, endpoint: Endpoint
) -> dict[str, Any]:
    return {
        "server_id": server_id,
        "protocol": protocol,
        **columns_of(endpoint),
    }
