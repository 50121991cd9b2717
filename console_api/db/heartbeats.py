# SPDX-License-Identifier: Apache-2.0
"""Statements on the heartbeats of agents.

They are not part of the row of the console host, which placement locks: an
agent is alive, however long a lock is held.
"""

from console_api.db import clock, tables
from console_api.db.engine import Database, retried

_heartbeats = tables.console_host_heartbeats


@retried
def record(database: Database, host_id: int) -> None:
    """Record that the agent of a console host is alive, if the host exists.

    The time is that of the database server, not of the console host.

    :raises DatabaseUnavailable: the database does not answer
    """
    with database.transaction() as connection:
        connection.execute(
            _heartbeats.update()
            .where(_heartbeats.c.console_host_id == host_id)
            .values(last_seen_at=clock.now())
        )
