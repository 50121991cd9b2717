# SPDX-License-Identifier: Apache-2.0
"""Statements on console hosts."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exc
from sqlalchemy.engine import Connection

from console_api import errors
from console_api.db import tables
from console_api.db.engine import Database, retried

_hosts = tables.console_hosts.c

_LIST = sa.select(tables.console_hosts).order_by(
    _hosts.host, _hosts.console_type
)
_GET = sa.select(tables.console_hosts).where(
    _hosts.host == sa.bindparam("host"),
    _hosts.console_type == sa.bindparam("console_type"),
)
_LIST_ENABLED = _LIST.where(_hosts.enabled.is_(True))

#: Whether one more console fits: multiplexed hosts take any number.
_HAS_ROOM = sa.or_(
    _hosts.multiplex_port.is_not(None),
    _hosts.console_count <= _hosts.max_port - _hosts.min_port,
)


def list_all(database: Database) -> Sequence[sa.Row[Any]]:
    """Return all console hosts by name and console type."""
    return database.read(_LIST)


def get(
    database: Database, host: str, console_type: str
) -> sa.Row[Any] | None:
    """Return a console host."""
    rows = database.read(_GET, {"host": host, "console_type": console_type})
    return rows[0] if rows else None


def list_enabled(database: Database) -> Sequence[sa.Row[Any]]:
    """Return the console hosts that take new consoles."""
    return database.read(_LIST_ENABLED)


@retried
def insert(database: Database, values: Mapping[str, Any]) -> None:
    """Store a new console host, without consoles.

    :raises AlreadyExists: the host offers this console type already
    """
    try:
        with database.transaction() as connection:
            connection.execute(
                tables.console_hosts.insert(), {**values, "console_count": 0}
            )
    except db_exc.DBDuplicateEntry as error:
        raise errors.AlreadyExists(
            f"Console host {values['host']} with console type "
            f"{values['console_type']} already exists."
        ) from error


def register(database: Database, values: Mapping[str, Any]) -> int:
    """Store a console host, or change it to what its agent now says.

    :returns: its id
    :raises Conflict: the new ports leave out some that consoles have
    """
    host, console_type = values["host"], values["console_type"]
    try:
        insert(database, {**values, "enabled": True})
    except errors.AlreadyExists:
        # Registered by an operator, or by this agent before; whether it is
        # enabled is for the operator to say.
        update(database, host, console_type, values)
    row = get(database, host, console_type)
    if row is None:
        raise errors.ConsoleHostNotFound(
            f"Console host {host} was deleted while it was registered."
        )
    return int(row.id)


@retried
def update(
    database: Database,
    host: str,
    console_type: str,
    values: Mapping[str, Any],
) -> bool:
    """Change a console host.

    :returns: whether it is there
    :raises Conflict: the new ports leave out some that consoles have
    """
    table = tables.console_hosts
    with database.transaction() as connection:
        if not connection.execute(
            table.update()
            .where(_hosts.host == host, _hosts.console_type == console_type)
            .values({"host": host, **values})
        ).rowcount:
            return False
        if _has_misplaced(connection, host, console_type):
            raise errors.Conflict(
                f"Console host {host} has {console_type} consoles on ports "
                "that this change would remove. Delete those consoles first."
            )
    return True


def _has_misplaced(
    connection: Connection, host: str, console_type: str
) -> bool:
    """Tell whether a console is on a port that its host does not have."""
    row = connection.execute(
        sa.select(tables.console_hosts).where(
            _hosts.host == host, _hosts.console_type == console_type
        )
    ).one()
    ports = tables.consoles.c.port
    lowest, highest = connection.execute(
        sa.select(sa.func.min(ports), sa.func.max(ports)).where(
            tables.consoles.c.console_host_id == row.id
        )
    ).one()
    if row.multiplex_port is not None:
        return bool(lowest is not None)
    if lowest is None:
        # Those that it has, if any, share a port.
        return bool(row.console_count)
    return bool(lowest < row.min_port or highest > row.max_port)


@retried
def delete(database: Database, host: str, console_type: str) -> bool:
    """Delete a console host that has no consoles.

    :returns: whether it was there
    :raises Conflict: it has consoles
    """
    try:
        with database.transaction() as connection:
            host_id = _lock(connection, host, console_type)
            _delete(connection, host_id)
    except db_exc.DBReferenceError as error:
        raise errors.Conflict(
            f"Console host {host} still has {console_type} consoles."
        ) from error
    return host_id is not None


@retried
def delete_with_consoles(
    database: Database, host: str, console_type: str
) -> bool:
    """Delete a console host and the consoles on it.

    :returns: whether it was there
    """
    with database.transaction() as connection:
        host_id = _lock(connection, host, console_type)
        connection.execute(
            tables.consoles.delete().where(
                tables.consoles.c.console_host_id == host_id
            )
        )
        _delete(connection, host_id)
    return host_id is not None


def _lock(connection: Connection, host: str, console_type: str) -> int | None:
    """Take the lock on a host's row, so that no console is added."""
    where = (_hosts.host == host, _hosts.console_type == console_type)
    connection.execute(
        tables.console_hosts.update().where(*where).values(host=host)
    )
    found: int | None = connection.scalar(sa.select(_hosts.id).where(*where))
    return found


def _delete(connection: Connection, host_id: int | None) -> None:
    connection.execute(
        tables.console_changes.delete().where(
            tables.console_changes.c.console_host_id == host_id
        )
    )
    connection.execute(
        tables.console_hosts.delete().where(_hosts.id == host_id)
    )


def add_console(connection: Connection, host: sa.Row[Any]) -> bool:
    """Count one more console on a host and hold the lock on its row.

    :param host: the console host as it was read before
    :returns: whether it still has these ports, is enabled, and has room
    """
    return bool(
        connection.execute(
            _ADD_CONSOLE,
            {
                "host_id": host.id,
                "min": host.min_port,
                "max": host.max_port,
                "multiplex": host.multiplex_port,
            },
        ).rowcount
    )


def remove_console(connection: Connection, host_id: int) -> None:
    """Count one console less on a host and hold the lock on its row.

    A host that has none has lost it to another request, which the caller
    finds out when it deletes it.
    """
    connection.execute(_REMOVE_CONSOLE, {"host_id": host_id})


def change_console(connection: Connection, host_id: int) -> None:
    """Raise the revision of a host and hold the lock on its row."""
    connection.execute(_CHANGE_CONSOLE, {"host_id": host_id})


@retried
def seen(database: Database, host_id: int, now: int) -> None:
    """Note that the agent of a console host lives."""
    with database.transaction() as connection:
        connection.execute(
            tables.console_hosts.update()
            .where(_hosts.id == host_id)
            .values(last_seen_at=now)
        )


_ADD_CONSOLE = (
    tables.console_hosts.update()
    .where(
        _hosts.id == sa.bindparam("host_id"),
        _hosts.enabled.is_(True),
        _hosts.min_port.is_not_distinct_from(sa.bindparam("min")),
        _hosts.max_port.is_not_distinct_from(sa.bindparam("max")),
        _hosts.multiplex_port.is_not_distinct_from(sa.bindparam("multiplex")),
        _HAS_ROOM,
    )
    .values(
        console_count=_hosts.console_count + 1, revision=_hosts.revision + 1
    )
)

_REMOVE_CONSOLE = (
    tables.console_hosts.update()
    .where(_hosts.id == sa.bindparam("host_id"), _hosts.console_count >= 1)
    .values(
        console_count=_hosts.console_count - 1, revision=_hosts.revision + 1
    )
)

_CHANGE_CONSOLE = (
    tables.console_hosts.update()
    .where(_hosts.id == sa.bindparam("host_id"))
    .values(revision=_hosts.revision + 1)
)
