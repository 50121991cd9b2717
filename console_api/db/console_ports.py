# SPDX-License-Identifier: Apache-2.0
"""The search for a free port on a console host."""

import random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console_api.db import tables

_consoles = tables.consoles.c

_PORT_TAKEN = sa.select(_consoles.id).where(
    _consoles.console_host_id == sa.bindparam("host_id"),
    _consoles.port == sa.bindparam("port"),
)

_next = tables.consoles.alias("next_console")

# The first console from a port on whose upper neighbour is free: it walks
# the index of the constraint on host and port, and stops at the first gap.
# Not with NOT EXISTS: for that, MariaDB first reads all ports of the host.
_UPPER_NEIGHBOUR = (
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
        _UPPER_NEIGHBOUR.is_(None),
    )
    .order_by(_consoles.port)
    .limit(1)
)


def find_free(connection: Connection, host: sa.Row[Any]) -> int | None:
    """Find a free port of a host whose row the caller has locked.

    The search begins anywhere in the range, which spreads the consoles, so
    that a free port is near wherever it begins.

    :param host: a console host that has room for one more console
    :returns: None if the host has one port for all
    """
    if host.multiplex_port is not None:
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
    # The range has room (`add_console` has counted), all ports from the
    # lowest taken one up are taken: what is left is below.
    return int(host.min_port)
