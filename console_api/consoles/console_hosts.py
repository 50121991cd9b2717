# SPDX-License-Identifier: Apache-2.0
"""The console hosts as operators see them: what they offer, how they are."""

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from console_api.consoles import placement
from console_api.db import console_hosts
from console_api.db.engine import Database


@dataclass(frozen=True, slots=True)
class ConsoleHost:
    """One console type of a console host.

    ``compute_hosts`` are shell patterns.  Either ``multiplex_port`` is None
    or both ends of the range are.  ``ports_used`` is less than ``consoles``
    where these share a port.  ``last_seen_at`` is in UTC, None before the
    agent was seen for the first time.
    """

    host: str
    console_type: str
    public_hostname: str
    compute_hosts: Sequence[str]
    min_port: int | None
    max_port: int | None
    multiplex_port: int | None
    enabled: bool
    up: bool
    consoles: int
    ports_used: int
    last_seen_at: dt.datetime | None

    @property
    def state(self) -> str:
        """``up`` while the agent is seen, else ``down``."""
        return "up" if self.up else "down"


class ConsoleHostManager:
    """The operations on console hosts."""

    def __init__(self, database: Database, host_down_time: int) -> None:
        """Look at the console hosts in this database.

        :param host_down_time: seconds after which a console host that was
            not seen counts as down
        """
        self._database = database
        self._host_down_time = host_down_time

    def list(self) -> list[ConsoleHost]:
        """Return all console hosts by name and console type."""
        now = time.time()
        return [
            _from_row(row, up=self._is_up(row, now))
            for row in console_hosts.list_all(self._database)
        ]

    def _is_up(self, row: sa.Row[Any], now: float) -> bool:
        return placement.is_up(row.last_seen_at, now, self._host_down_time)


def _from_row(row: sa.Row[Any], *, up: bool) -> ConsoleHost:
    return ConsoleHost(
        host=row.host,
        console_type=row.console_type,
        public_hostname=row.public_hostname,
        compute_hosts=row.compute_hosts.split(),
        min_port=row.min_port,
        max_port=row.max_port,
        multiplex_port=row.multiplex_port,
        enabled=row.enabled,
        up=up,
        consoles=row.console_count,
        ports_used=_ports_used(row),
        last_seen_at=_time(row.last_seen_at),
    )


def _ports_used(row: sa.Row[Any]) -> int:
    # A multiplexed console host has one port for all of them.
    if row.multiplex_port is not None:
        return int(row.console_count > 0)
    return int(row.console_count)


def _time(seconds: int | None) -> dt.datetime | None:
    if seconds is None:
        return None
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
