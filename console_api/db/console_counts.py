# SPDX-License-Identifier: Apache-2.0
"""Statements on the counters of console hosts: consoles and revisions.

Each of them locks the row of the console host until the transaction ends, so
that its consoles and ports change one after the other.
"""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console_api.db import tables
from console_api.db.console_hosts import ConsoleHostRow

_hosts = tables.console_hosts.c

# Whether one more console fits: multiplexed hosts accept any number.
_HAS_ROOM = sa.or_(
    _hosts.multiplex_port.is_not(None),
    _hosts.console_count <= _hosts.max_port - _hosts.min_port,
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


def revision_of(
    host_id: sa.ColumnElement[int] | int,
) -> sa.ScalarSelect[int]:
    """Return an expression: the current revision of a console host.

    In a transaction that has locked its row, this is the revision of the
    change that the transaction makes.
    """
    return (
        sa.select(_hosts.revision).where(_hosts.id == host_id)
    ).scalar_subquery()


def add_console(connection: Connection, host: ConsoleHostRow) -> bool:
    """Increment the console count of a console host, and lock its row.

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
    """Decrement the console count of a console host, and lock its row.

    If the count is zero, another request has deleted the console, which the
    caller notices when it deletes it.
    """
    connection.execute(_REMOVE_CONSOLE, {"host_id": host_id})


def change_console(connection: Connection, host_id: int) -> None:
    """Increase the revision of a console host, and lock its row."""
    connection.execute(_CHANGE_CONSOLE, {"host_id": host_id})
