# SPDX-License-Identifier: Apache-2.0
"""Statements on consoles."""

import enum
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exc
from sqlalchemy.engine import Connection

from console_api import errors
from console_api.db import (
    console_changes,
    console_hosts,
    console_ports,
    tables,
)
from console_api.db.engine import Database, retried

_consoles = tables.consoles.c
_hosts = tables.console_hosts.c
_on_host = tables.consoles.join(
    tables.console_hosts, _hosts.id == _consoles.console_host_id
)

_LIST = (
    sa.select(_consoles.id, _consoles.console_type)
    .where(
        _consoles.server_id == sa.bindparam("server_id"),
        _consoles.id > sa.bindparam("marker"),
    )
    .order_by(_consoles.id)
    .limit(sa.bindparam("limit"))
)

_PLACED = (
    sa.select(
        _consoles.id,
        _consoles.console_type,
        _consoles.console_host_id,
        _hosts.compute_hosts,
    )
    .select_from(_on_host)
    .where(_consoles.server_id == sa.bindparam("server_id"))
)

_GET = (
    sa.select(
        _consoles.id,
        _consoles.console_type,
        _consoles.instance_name,
        _consoles.encrypted_password,
        sa.func.coalesce(_consoles.port, _hosts.multiplex_port).label("port"),
        _hosts.public_hostname,
    )
    .select_from(_on_host)
    .where(
        _consoles.server_id == sa.bindparam("server_id"),
        _consoles.id == sa.bindparam("id"),
    )
)

# How often a console may be moved under a request that wants to delete it.
_MOVES_SEEN = 3


class Placed(enum.Enum):
    """How an attempt to put a console on a console host ended."""

    DONE = enum.auto()
    #: The console host is full, disabled or gone.
    NO_ROOM = enum.auto()
    #: Another request has placed or moved this console meanwhile.
    OVERTAKEN = enum.auto()
    #: The server was deleted meanwhile.
    SERVER_GONE = enum.auto()


def list_of_server(
    database: Database, server_id: str, marker: int, limit: int
) -> Sequence[sa.Row[Any]]:
    """Return a server's consoles after an id, in the order of their ids."""
    return database.read(
        _LIST,
        {"server_id": server_id, "marker": marker, "limit": limit},
    )


def placed_of_server(
    database: Database, server_id: str
) -> Sequence[sa.Row[Any]]:
    """Return where the consoles of a server are."""
    return database.read(_PLACED, {"server_id": server_id})


def get(
    database: Database, server_id: str, console_id: int
) -> sa.Row[Any] | None:
    """Return one console of a server with its host's name and port."""
    rows = database.read(_GET, {"server_id": server_id, "id": console_id})
    return rows[0] if rows else None


@retried
def insert(
    database: Database, host: sa.Row[Any], values: Mapping[str, Any]
) -> Placed:
    """Put a new console on a console host, on a free port of its range.

    Two requests for one server may get here at once, perhaps with different
    hosts in mind; the constraint on server and console type lets one of
    them through.  Requests for one host queue up on the lock of its row, so
    none takes the port that another has just found.
    """
    try:
        with database.transaction() as connection:
            if not console_hosts.add_console(connection, host):
                return Placed.NO_ROOM
            made = connection.execute(
                tables.consoles.insert().values(
                    {
                        **values,
                        "instance_name": _instance_name(values),
                        "console_host_id": host.id,
                        "console_type": host.console_type,
                        "port": console_ports.find_free(connection, host),
                    }
                )
            )
            key: Any = made.inserted_primary_key
            console_changes.record(connection, host.id, key.id)
    except db_exc.DBDuplicateEntry:
        return Placed.OVERTAKEN
    except db_exc.DBReferenceError:
        return Placed.SERVER_GONE
    return Placed.DONE


@retried
def move(
    database: Database, console_id: int, old_host_id: int, host: sa.Row[Any]
) -> Placed:
    """Move a console to another console host, on a free port there.

    It takes the console type of its new host.
    """
    try:
        with database.transaction() as connection:
            if not console_hosts.add_console(connection, host):
                return Placed.NO_ROOM
            moved = connection.execute(
                tables.consoles.update()
                .where(
                    _consoles.id == console_id,
                    _consoles.console_host_id == old_host_id,
                )
                .values(
                    console_host_id=host.id,
                    console_type=host.console_type,
                    port=console_ports.find_free(connection, host),
                )
            ).rowcount
            if not moved:
                # Deleted or moved since it was read: keep nothing of this.
                connection.rollback()
                return Placed.OVERTAKEN
            console_changes.record(connection, host.id, console_id)
            console_hosts.remove_console(connection, old_host_id)
            console_changes.record(connection, old_host_id, console_id)
    except db_exc.DBDuplicateEntry:
        return Placed.OVERTAKEN
    return Placed.DONE


@retried
def delete(database: Database, server_id: str, console_id: int) -> bool:
    """Delete a console of a server.

    :returns: whether it was there
    """
    where = (
        _consoles.server_id == server_id,
        _consoles.id == console_id,
    )
    for _attempt in range(_MOVES_SEEN):
        rows = database.read(
            sa.select(_consoles.console_host_id).where(*where)
        )
        if not rows:
            return False
        host_id = rows[0].console_host_id
        with database.transaction() as connection:
            # The host's row first, in the order in which `insert` locks.
            console_hosts.remove_console(connection, host_id)
            if connection.execute(
                tables.consoles.delete().where(
                    *where, _consoles.console_host_id == host_id
                )
            ).rowcount:
                console_changes.record(connection, host_id, console_id)
                return True
            # Deleted or moved since it was read: look again.
            connection.rollback()
    raise errors.Unavailable("This console keeps moving. Try again.")


def delete_of_server(connection: Connection, server_id: str) -> None:
    """Delete all consoles of a server whose row the caller has locked."""
    for row in _lock_of_server(connection, server_id):
        console_hosts.remove_console(connection, row.console_host_id)
        console_changes.record(connection, row.console_host_id, row.id)
    connection.execute(
        tables.consoles.delete().where(_consoles.server_id == server_id)
    )


def follow_server(
    connection: Connection, server_id: str, instance_name: str
) -> None:
    """Let the consoles of a server know its new name and compute host.

    The caller has locked and changed the server's row.
    """
    for row in _lock_of_server(connection, server_id):
        console_hosts.change_console(connection, row.console_host_id)
        console_changes.record(connection, row.console_host_id, row.id)
    connection.execute(
        tables.consoles.update()
        .where(_consoles.server_id == server_id)
        .values(instance_name=instance_name)
    )


def _lock_of_server(
    connection: Connection, server_id: str
) -> Sequence[sa.Row[Any]]:
    rows: Sequence[Any] = connection.execute(
        sa.select(_consoles.id, _consoles.console_host_id)
        .where(_consoles.server_id == server_id)
        .order_by(_consoles.console_host_id)
        # Nobody else deletes or moves, and so counts, these any more.
        .with_for_update()
    ).all()
    return rows


def _instance_name(values: Mapping[str, Any]) -> sa.ColumnElement[str]:
    """Return the name as it is now: `follow_server` may be at work."""
    current = (
        sa.select(tables.servers.c.instance_name)
        .where(tables.servers.c.uuid == values["server_id"])
        .with_for_update(read=True)
    )
    # Without a server the INSERT is refused, whatever the name.
    return sa.func.coalesce(current.scalar_subquery(), values["instance_name"])
