# SPDX-License-Identifier: Apache-2.0
"""Statements on consoles."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from oslo_db import exception as db_exc

from console_api import errors
from console_api.db import (
    clock,
    console_changes,
    console_counts,
    console_expiry,
    console_ports,
    tables,
)
from console_api.db.console_hosts import ConsoleHostRow
from console_api.db.engine import Database, retried
from console_api.db.rows import columns_of

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
        ~console_expiry.IS_EXPIRED,
    )
    .order_by(_consoles.id)
    .limit(sa.bindparam("limit"))
)

# The columns of ``PlacedConsole``.
_PLACED = sa.select(
    _consoles.id,
    _consoles.console_type,
    _consoles.console_host_id,
    console_expiry.IS_EXPIRED.label("is_expired"),
).where(_consoles.server_id == sa.bindparam("server_id"))

# The columns of ``ConsoleRow``.
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
        ~console_expiry.IS_EXPIRED,
    )
)

# The current name: `server_consoles.update` may change it.  If there is no
# server, the INSERT is refused, whatever the name.
_INSERT = tables.consoles.insert().values(
    server_id=sa.bindparam("server_id"),
    instance_name=sa.func.coalesce(
        sa.select(tables.servers.c.instance_name)
        .where(tables.servers.c.uuid == sa.bindparam("server_id"))
        .with_for_update(read=True)
        .scalar_subquery(),
        sa.bindparam("instance_name"),
    ),
    encrypted_password=sa.bindparam("encrypted_password"),
    created_at=clock.now(),
    expires_at=clock.now() + sa.bindparam("lifetime", type_=sa.BigInteger),
    console_host_id=sa.bindparam("console_host_id"),
    console_type=sa.bindparam("console_type"),
    port=sa.bindparam("port"),
    revision=console_counts.revision_of(sa.bindparam("console_host_id")),
)

_IS_CONSOLE = (
    _consoles.server_id == sa.bindparam("server_id"),
    _consoles.id == sa.bindparam("console_id"),
)
_HOST_OF = sa.select(_consoles.console_host_id).where(*_IS_CONSOLE)
_DELETE = tables.consoles.delete().where(
    *_IS_CONSOLE, _consoles.console_host_id == sa.bindparam("host_id")
)

# Maximum number of deletions of a console that is moved concurrently.
_MAX_DELETE_ATTEMPTS = 3


class Placed(enum.Enum):
    """Outcome of an attempt to place a console on a console host."""

    DONE = enum.auto()
    #: The console host is full, disabled or deleted.
    NO_ROOM = enum.auto()
    #: Another request has placed or moved the console concurrently.
    OVERTAKEN = enum.auto()
    #: The server was deleted concurrently.
    SERVER_GONE = enum.auto()


@dataclass(frozen=True, slots=True)
class ConsoleSummary:
    """A console as lists show it."""

    id: int
    console_type: str


@dataclass(frozen=True, slots=True)
class PlacedConsole:
    """Where a console is placed."""

    id: int
    console_type: str
    console_host_id: int
    is_expired: bool = False


@dataclass(frozen=True, slots=True)
class ConsoleRow:
    """A console with the address of its console host."""

    id: int
    console_type: str
    instance_name: str
    encrypted_password: str = field(repr=False)
    port: int | None
    public_hostname: str


@dataclass(frozen=True, slots=True)
class NewConsole:
    """A console to store.

    ``lifetime`` is in seconds, None if the console never expires.
    """

    server_id: str
    instance_name: str
    encrypted_password: str = field(repr=False)
    lifetime: int | None


def list_of_server(
    database: Database, server_id: str, marker: int, limit: int
) -> list[ConsoleSummary]:
    """Return consoles of a server in the order of their ids.

    :param marker: the id after which to start
    :param limit: the maximum number of consoles
    """
    return database.read(
        _LIST,
        ConsoleSummary,
        {"server_id": server_id, "marker": marker, "limit": limit},
    )


def placed_of_server(
    database: Database, server_id: str
) -> Sequence[PlacedConsole]:
    """Return where the consoles of a server are placed."""
    return database.read(_PLACED, PlacedConsole, {"server_id": server_id})


def get(
    database: Database, server_id: str, console_id: int
) -> ConsoleRow | None:
    """Return a console of a server, None if the server has no such console."""
    rows = database.read(
        _GET, ConsoleRow, {"server_id": server_id, "id": console_id}
    )
    return rows[0] if rows else None


@retried
def insert(
    database: Database, host: ConsoleHostRow, console: NewConsole
) -> Placed:
    """Place a new console on a console host, on a free port of its range.

    Concurrent requests for one server may choose different console hosts;
    the constraint on server and console type accepts one of them.  Requests
    for one console host wait for the lock on its row, so that no two of them
    find the same free port.
    """
    try:
        with database.transaction() as connection:
            if not console_counts.add_console(connection, host):
                return Placed.NO_ROOM
            inserted = connection.execute(
                _INSERT,
                {
                    **columns_of(console),
                    "console_host_id": host.id,
                    "console_type": host.console_type,
                    "port": console_ports.find_free(connection, host),
                },
            )
            console_id: int = inserted.inserted_primary_key[0]  # type: ignore[index]
            console_changes.record(connection, host.id, console_id)
    except db_exc.DBDuplicateEntry:
        return Placed.OVERTAKEN
    except db_exc.DBReferenceError:
        return Placed.SERVER_GONE
    return Placed.DONE


@retried
def move(
    database: Database,
    console_id: int,
    old_host_id: int,
    host: ConsoleHostRow,
) -> Placed:
    """Move a console to a free port of another console host.

    Its console type becomes that of the new console host.
    """
    try:
        with database.transaction() as connection:
            if not console_counts.add_console(connection, host):
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
                    revision=console_counts.revision_of(host.id),
                    problem=None,
                )
            ).rowcount
            if not moved:
                # Deleted or moved since it was read: roll back.
                connection.rollback()
                return Placed.OVERTAKEN
            console_changes.record(connection, host.id, console_id)
            console_counts.remove_console(connection, old_host_id)
            console_changes.record(connection, old_host_id, console_id)
    except db_exc.DBDuplicateEntry:
        return Placed.OVERTAKEN
    return Placed.DONE


@retried
def delete(database: Database, server_id: str, console_id: int) -> bool:
    """Delete a console of a server.

    :returns: whether it existed
    :raises Unavailable: it keeps being moved concurrently
    """
    console = {"server_id": server_id, "console_id": console_id}
    for _attempt in range(_MAX_DELETE_ATTEMPTS):
        found = database.read(_HOST_OF, int, console)
        if not found:
            return False
        [host_id] = found
        with database.transaction() as connection:
            # The row of the host first: `insert` locks in the same order.
            console_counts.remove_console(connection, host_id)
            if connection.execute(
                _DELETE, {**console, "host_id": host_id}
            ).rowcount:
                console_changes.record(connection, host_id, console_id)
                return True
            # Deleted or moved since it was read: read again.
            connection.rollback()
    raise errors.Unavailable("The console keeps moving. Retry the request.")
