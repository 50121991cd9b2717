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
_LIST_ENABLED = _LIST.where(_hosts.enabled.is_(True))

#: Whether one more console fits: multiplexed hosts take any number.
_HAS_ROOM = sa.or_(
    _hosts.multiplex_port.is_not(None),
    _hosts.console_count <= _hosts.max_port - _hosts.min_port,
)


def list_all(database: Database) -> Sequence[sa.Row[Any]]:
    """Return all console hosts by name and console type."""
    return database.read(_LIST)


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
            f"Console host {values['host']} offers {values['console_type']} "
            "already. Change it with `console-host set`."
        ) from error


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
                "that this change would take away. Delete those consoles "
                "first."
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
            deleted = connection.execute(
                tables.console_hosts.delete().where(
                    _hosts.host == host, _hosts.console_type == console_type
                )
            ).rowcount
    except db_exc.DBReferenceError as error:
        raise errors.Conflict(
            f"Console host {host} still has {console_type} consoles. Delete "
            "them first, or delete it with `--with-consoles`."
        ) from error
    return bool(deleted)


@retried
def delete_with_consoles(
    database: Database, host: str, console_type: str
) -> bool:
    """Delete a console host and the consoles on it.

    :returns: whether it was there
    """
    table = tables.console_hosts
    where = (_hosts.host == host, _hosts.console_type == console_type)
    with database.transaction() as connection:
        # Takes the lock on the host's row, so that no console is added.
        if not connection.execute(
            table.update().where(*where).values(console_count=0)
        ).rowcount:
            return False
        connection.execute(
            tables.consoles.delete().where(
                # By its id: MariaDB would read all consoles for a subquery.
                tables.consoles.c.console_host_id
                == connection.scalar(sa.select(_hosts.id).where(*where))
            )
        )
        connection.execute(table.delete().where(*where))
    return True


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


def remove_consoles(
    connection: Connection, host_id: int, count: int = 1
) -> None:
    """Count fewer consoles on a host and hold the lock on its row.

    A host that has not so many has lost them to another request, which the
    caller finds out when it deletes them.
    """
    connection.execute(
        _REMOVE_CONSOLES, {"host_id": host_id, "removed": count}
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
    .values(console_count=_hosts.console_count + 1)
)

_REMOVE_CONSOLES = (
    tables.console_hosts.update()
    .where(
        _hosts.id == sa.bindparam("host_id"),
        _hosts.console_count >= sa.bindparam("removed"),
    )
    .values(console_count=_hosts.console_count - sa.bindparam("removed"))
)
