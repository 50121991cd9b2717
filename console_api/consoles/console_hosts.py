# SPDX-License-Identifier: Apache-2.0
"""Console hosts as operators see them: what they offer, and their state."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from console_api import errors
from console_api.consoles import placement
from console_api.db import console_hosts
from console_api.db.console_hosts import ConsoleHostRow
from console_api.db.engine import Database
from console_api.values import ConsoleHostState


@dataclass(frozen=True, slots=True)
class ConsoleHost:
    """A console host for one console type.

    ``compute_hosts`` are shell patterns.  Either ``multiplex_port`` is None
    or both ends of the range are.  ``ports_used`` is less than ``consoles``
    if these share a port.  ``served`` and ``failed`` are how many consoles
    the agent serves and cannot serve, None if the host is down.  ``trouble``
    is the reason for the operator if the agent as a whole cannot do its work.
    ``version`` and ``driver`` are those of the agent.  ``last_seen_at`` is in
    UTC.  All that an agent reports is None before its first heartbeat.
    """

    host: str
    console_type: str
    public_hostname: str
    compute_hosts: Sequence[str]
    min_port: int | None
    max_port: int | None
    multiplex_port: int | None
    enabled: bool
    state: ConsoleHostState
    trouble: str | None
    consoles: int
    served: int | None
    failed: int | None
    ports_used: int
    version: str | None
    driver: str | None
    last_seen_at: dt.datetime | None


class ConsoleHostManager:
    """Operations on console hosts."""

    def __init__(self, database: Database, host_down_time: int) -> None:
        """Prepare the operations.

        :param host_down_time: seconds without a heartbeat after which a
            console host is down
        """
        self._database = database
        self._host_down_time = host_down_time

    def list(self) -> list[ConsoleHost]:
        """Return all console hosts by name and console type."""
        return [
            _from_row(row, placement.state(row, self._host_down_time))
            for row in console_hosts.list_all(self._database)
        ]

    def get(self, host: str, console_type: str) -> ConsoleHost:
        """Return a console host.

        :raises ConsoleHostNotFound: it is not stored
        """
        row = console_hosts.get(self._database, host, console_type)
        if row is None:
            raise errors.ConsoleHostNotFound(host, console_type)
        return _from_row(row, placement.state(row, self._host_down_time))

    def set_enabled(
        self, host: str, console_type: str, *, enabled: bool
    ) -> ConsoleHost:
        """Enable or disable a console host and return it.

        A disabled console host gets no new consoles and keeps those it has.

        :raises ConsoleHostNotFound: it is not stored
        :raises DatabaseUnavailable: the database does not answer
        """
        console_hosts.update(
            self._database, host, console_type, {"enabled": enabled}
        )
        return self.get(host, console_type)


def _from_row(row: ConsoleHostRow, state: ConsoleHostState) -> ConsoleHost:
    is_down = state is ConsoleHostState.DOWN
    return ConsoleHost(
        host=row.host,
        console_type=row.console_type,
        public_hostname=row.public_hostname,
        compute_hosts=row.compute_hosts,
        min_port=row.min_port,
        max_port=row.max_port,
        multiplex_port=row.multiplex_port,
        enabled=row.enabled,
        state=state,
        trouble=row.trouble,
        consoles=row.console_count,
        served=None if is_down else row.served_count,
        failed=None if is_down else row.failed_count,
        ports_used=_ports_used(row),
        version=row.version,
        driver=row.driver,
        last_seen_at=_time(row.last_seen_at),
    )


def _ports_used(row: ConsoleHostRow) -> int:
    # All consoles of a multiplexed console host share one port.
    if row.multiplex_port is not None:
        return int(row.console_count > 0)
    return row.console_count


def _time(seconds: int | None) -> dt.datetime | None:
    if seconds is None:
        return None
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
