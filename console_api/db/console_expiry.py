# SPDX-License-Identifier: Apache-2.0
"""Statements on the expiry of consoles, by the clock of the database server.

An expired console no longer exists for users and agents; its row stays until
it is deleted.
"""

import sqlalchemy as sa

from console_api.db import clock, tables
from console_api.db.engine import Database

_consoles = tables.consoles.c

#: Whether a console has expired.
IS_EXPIRED = sa.and_(
    _consoles.expires_at.is_not(None), _consoles.expires_at <= clock.now()
)

#: The remaining lifetime in seconds, null if the console never expires.
EXPIRES_IN = (_consoles.expires_at - clock.now()).label("expires_in")

# The time is read once: PostgreSQL uses no index for a volatile function.
_LIST_EXPIRED = (
    sa.select(_consoles.server_id, _consoles.id)
    .where(_consoles.expires_at <= sa.select(clock.now()).scalar_subquery())
    .order_by(_consoles.expires_at)
    .limit(sa.bindparam("limit"))
)


def list_expired(database: Database, limit: int) -> list[tuple[str, int]]:
    """Return consoles that have expired, as pairs of server and console ID.

    :param limit: the maximum number of consoles
    """
    return database.read(
        _LIST_EXPIRED,
        lambda server_id, console_id: (server_id, console_id),
        {"limit": limit},
    )
