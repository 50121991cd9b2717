# SPDX-License-Identifier: Apache-2.0
"""The search for a free port on a console host."""

import random

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console_api.db import tables
from console_api.db.console_hosts import ConsoleHostRow

_consoles = tables.consoles.c

_PORT_TAKEN = sa.select(_consoles.id).where(
    _consoles.console_host_id == sa.bindparam("host_id"),
    _consoles.port == sa.bindparam("port"),
)

_next = tables.consoles.alias("next_console")

# The first console at or above a port whose next higher port is free: the
# query walks the index of the constraint on host and port, and stops at the
# first gap. Not with NOT EXISTS: MariaDB would read all ports of the host.
_NEXT_PORT = (
    sa.select(_next.c.port)
    .where(
        _next.c.console_host_id == sa.bindparam("host_id"),
        _next.c.port == _consoles.port + 1,
    )
    .scalar_subquery()
)
_LAST_BEFORE_GAP = (
    sa.select(_consoles.port)
    .where(
        _consoles.console_host_id == sa.bindparam("host_id"),
        _consoles.port >= sa.bindparam("first"),
        _consoles.port < sa.bindparam("last"),
        _NEXT_PORT.is_(None),
    )
    .order_by(_consoles.port)
    .limit(1)
)


def find_free(connection: Connection, host: ConsoleHostRow) -> int | None:
    """Return a free port of a console host whose row the caller has locked.

    The search starts at a random port, which spreads the consoles over the
    range, so that there is a free port near any start.

    :param host: a console host with room for one more console
    :returns: None if all consoles of the host share one port
    """
    if host.min_port is None or host.max_port is None:
        return None
    start = random.randint(host.min_port, host.max_port)
    taken = connection.execute(
        _PORT_TAKEN, {"host_id": host.id, "port": start}
    ).first()
    if not taken:
        return start
    for first, last in (
        (start, host.max_port),
        (host.min_port, start),
    ):
        row = connection.execute(
            _LAST_BEFORE_GAP,
            {"host_id": host.id, "first": first, "last": last},
        ).first()
        if row:
            return int(row.port) + 1
    # The range has room (`add_console` has counted), but all ports from the
    # lowest used one up are in use: the lowest port of the range is free.
    return host.min_port
