# SPDX-License-Identifier: Apache-2.0
"""Statements on the heartbeats of agents, and on what these report.

They are not part of the row of the console host, which placement locks: an
agent is alive, however long a lock is held.
"""

from dataclasses import dataclass

from console_api.db import clock, tables
from console_api.db.engine import Database, retried
from console_api.db.rows import columns_of

_heartbeats = tables.console_host_heartbeats


@dataclass(frozen=True, slots=True)
class AgentReport:
    """What an agent reports about itself with each heartbeat.

    ``trouble`` is a sentence, None if there is none.  ``served_revision`` is
    the revision of the console host that the agent has applied, None before
    the first; ``served_count`` and ``failed_count`` are how many consoles of
    that revision it serves and cannot serve.
    """

    version: str
    driver: str
    trouble: str | None = None
    served_revision: int | None = None
    served_count: int = 0
    failed_count: int = 0


@retried
def record(database: Database, host_id: int, report: AgentReport) -> None:
    """Record that the agent of a console host is alive, if the host exists.

    The time is that of the database server, not of the console host.

    :raises DatabaseUnavailable: the database does not answer
    """
    with database.transaction() as connection:
        connection.execute(
            _heartbeats.update()
            .where(_heartbeats.c.console_host_id == host_id)
            .values(last_seen_at=clock.now(), **columns_of(report))
        )
