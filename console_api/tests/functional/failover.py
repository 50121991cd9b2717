# SPDX-License-Identifier: Apache-2.0
"""The API and an agent, with clients, on a cluster of database servers."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa

from console_api.db import tables
from console_api.tests.functional import agents, configuration, servers
from console_api.tests.functional.databases import TestDatabase
from console_api.tests.functional.failover_figures import Figures
from console_api.tests.functional.failover_load import MAX_CONSOLES, Load
from console_api.tests.ports import free_range
from console_api.tests.waiting import wait_until

#: Seconds after a switch from which no request may be refused.
GRACE = 5.0

# Seconds within which a switch is noticed here.
_POLL = 0.5


@dataclass(frozen=True)
class Event:
    """What makes a cluster switch to another server.

    ``cause`` makes it happen to the current writer; ``undo`` returns when all
    servers are healthy members of the cluster again.  With ``keeps_writer``,
    the same server is the writer again, after a time without any in ``cause``.
    """

    name: str
    cause: Callable[[], None]
    undo: Callable[[], None]
    keeps_writer: bool = False


class Cluster(Protocol):
    """Database servers behind a proxy."""

    @property
    def writer(self) -> str | None:
        """The server that new connections reach, None without any."""

    @property
    def is_settled(self) -> bool:
        """Whether at most the server that an event happened to is missing."""

    @property
    def database(self) -> TestDatabase:
        """An empty database, reached through the proxy."""

    @property
    def switches_back(self) -> bool:
        """Whether the first server is the writer whenever it can be."""

    def replicas(self) -> Sequence[TestDatabase]:
        """Return the database on each server, when all have all changes."""

    def events(self) -> Sequence[Event]:
        """Return all kinds of events."""

    def stop(self) -> None:
        """Stop all servers."""


class Site:
    """Four workers of the API, an agent and clients under way."""

    def __init__(self, cluster: Cluster) -> None:
        """Create the schema and start all of them.

        :param cluster: the database servers, all of which are healthy
        """
        self._cluster = cluster
        database = configuration.migrate(cluster.database)
        compute_host = f"compute-{uuid.uuid4().hex}"
        self._host = f"console-{uuid.uuid4().hex}"
        self._server = servers.start(
            database,
            {
                "database": {"max_pool_size": "5"},
                "consoles": {"host_down_time": "30"},
                # Longer than a stress test takes.
                "tokens": {"ttl": "86400"},
            },
            workers=4,
            threads=4,
        )
        folder = agents.configure(
            database,
            self._host,
            {
                "agent": {
                    "compute_hosts": compute_host,
                    "ports": free_range(MAX_CONSOLES),
                    "report_interval": "1",
                },
                "passwords": {
                    "key_repository": str(self._server.folder / "keys")
                },
            },
        )
        self._agent = agents.Agent(folder)
        self._client = self._server.client(user="admin", project="admin")
        self._load = Load(self._server, database, compute_host)
        # Since the last switch.
        self._writer: str | None = None
        # Beginnings and ends of the times in which requests may be refused.
        self._windows: list[tuple[float, float]] = []
        self._load.start()
        wait_until(lambda: self._load.has_written_since(0))

    def run(self, event: Event, settle: float = 0) -> list[Figures]:
        """Let an event happen, and undo it.

        :param settle: seconds from a switch to the next event; as soon as
            everything works if that takes longer
        :returns: the figures of each switch
        """
        began_at, figures = self._switch(
            event.name, event.cause, settle, event.keeps_writer
        )
        self._allow_refusals(began_at, began_at + figures.switched)
        if not self._cluster.switches_back:
            event.undo()
            return [figures]
        began_at, back = self._switch(
            f"{event.name}, back", event.undo, settle
        )
        # Until the proxy switches, there is a writer.
        switched_at = began_at + back.switched
        self._allow_refusals(switched_at - _POLL, switched_at)
        return [figures, back]

    def stop(self) -> list[str]:
        """Stop the clients and compare everything.

        :returns: all problems; empty if nothing was lost, nothing stored
            twice, and nothing refused later than allowed
        """
        self._load.stop()
        problems = self._load.verify(*self._cluster.replicas())
        problems += [
            f"{outcome} is outside {self._windows}"
            for outcome in self._load.refused_outside(self._windows)
        ]
        expected = self._ports()
        try:
            wait_until(lambda: self._open_ports() == expected)
        except TimeoutError:
            problems.append(
                f"The agent serves {self._open_ports()}, not {expected}."
            )
        self.kill()
        return problems

    def kill(self) -> None:
        """Stop everything without comparing."""
        self._load.abandon()
        self._agent.kill()
        self._server.stop()

    def _allow_refusals(self, began_at: float, switched_at: float) -> None:
        self._windows.append((began_at, switched_at + GRACE))

    def _switch(
        self,
        name: str,
        cause: Callable[[], None],
        settle: float,
        keeps_writer: bool = False,
    ) -> tuple[float, Figures]:
        """Cause a switch and wait until everything works.

        :returns: when it was caused, and the figures
        """
        writer = self._cluster.writer
        if self._writer not in (None, writer):
            self._load.problems.append(
                f"{writer} replaced {self._writer} without an event."
            )
            wait_until(lambda: self._cluster.writer == self._writer)
            writer = self._writer
        unwanted = {None} if keeps_writer else {None, writer}
        began_at = time.monotonic()
        cause()
        wait_until(lambda: self._cluster.writer not in unwanted)
        switched_at = time.monotonic()
        # A server may not be ready for a moment, while the cluster excludes
        # the other one; the next in line is the writer only until then.
        wait_until(lambda: self._cluster.is_settled)
        self._writer = self._cluster.writer
        reported_since = time.time()
        wait_until(lambda: self._load.has_written_since(switched_at + settle))
        wait_until(lambda: self._has_reported_since(reported_since))
        return began_at, self._load.figures(name, began_at, switched_at)

    def _has_reported_since(self, moment: float) -> bool:
        reply = self._client.get("/os-console-hosts")
        if reply.status != 200:
            return False
        [host] = [
            host
            for host in reply.json["console_hosts"]
            if host["host"] == self._host
        ]
        reported = datetime.fromisoformat(host["last_seen_at"])
        return host["state"] == "up" and reported.timestamp() >= moment

    def _open_ports(self) -> set[int]:
        return agents.listening_ports(self._agent.pid)

    def _ports(self) -> set[int]:
        consoles, hosts = tables.consoles.c, tables.console_hosts.c
        rows = self._cluster.replicas()[0].rows(
            sa.select(consoles.port)
            .join(tables.console_hosts, hosts.id == consoles.console_host_id)
            .where(hosts.host == self._host)
        )
        return {row.port for row in rows}
