# SPDX-License-Identifier: Apache-2.0
"""Measure the agent: start, single changes, throughput, memory."""

import json
import random
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from benchmarks import (
    console_agent,
    databases,
    documents,
    forwarding,
    machine,
    programs,
    rfb_ends,
    stage,
)
from benchmarks.settings import Log, Settings
from console_api import conf as configuration
from console_api.db import console_hosts, consoles, tables
from console_api.db.engine import Database
from console_api.tests import certificates
from console_api.tests.functional.agents import Agent

CONSOLES = 10_000
SESSIONS = 1_000
CHANGES = 20

#: What forwards the bytes: the agent, or socat without and with an option.
FORWARDERS = ("agent", "socat", "socat -b 65536")

_QUICK_DIVISOR = 100
_LOWEST_PORT = 12_000
# The share of consoles that has to listen: on a busy machine, other programs
# use some of the ports.
_MIN_LISTENING = 0.99

_CHANGE_TIMEOUT = 30.0
_SETTLE_SECONDS = 2.0


def run(
    settings: Settings, log: Log, *, quick: bool = False
) -> documents.Agent:
    """Measure the agent on MariaDB or MySQL.

    :param quick: whether to use a hundredth of the consoles
    :raises BenchmarkError: a program failed, or took too long
    """
    divisor = _QUICK_DIVISOR if quick else 1
    admin_url = settings.admin_urls.get("mysql")
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="bench_"))
        )
        [url] = stack.enter_context(
            databases.temporary("mysql", folder, ["agent"], admin_url)
        )
        count = CONSOLES // divisor
        data = stack.enter_context(
            stage.open_stage(folder / "own", url, count + CHANGES)
        )
        bench = _AgentBenchmark(settings, data, count, log)
        consoles = bench.consoles()
        rates, sessions = bench.sessions(SESSIONS // divisor)
        return {
            "machine": {
                **machine.describe(),
                "socat": forwarding.socat_version(),
            },
            "settings": {
                "rounds": settings.rounds,
                "seconds": settings.seconds,
            },
            "version": machine.database_version(url),
            "consoles": consoles,
            "bytes_per_second": rates,
            "sessions": sessions,
        }


class _Created(NamedTuple):
    """A console that was created."""

    id: int
    port: int


class _AgentBenchmark:
    """The measurements on one database."""

    def __init__(
        self,
        settings: Settings,
        data: stage.Stage,
        count: int,
        log: Log,
    ) -> None:
        self._settings = settings
        self._data = data
        self._count = count
        self._log = log
        # One port for each console that will ever exist.
        self._ports = (_LOWEST_PORT, _LOWEST_PORT + count + CHANGES)
        console_agent.configure(data, self._ports)

    def consoles(self) -> documents.AgentConsoles:
        """Measure start, changes and memory with all consoles."""
        empty: list[float] = []
        full: list[float] = []
        for _ in range(self._settings.rounds):
            for starts, count in ((empty, 0), (full, self._count)):
                with self._agent(count) as (_, seconds):
                    starts.append(round(seconds, 2))
                self._log(f"start with {count} consoles: {seconds:.2f} s")
        with self._agent(self._count) as (agent, _):
            memory = machine.resident(agent.process.pid)
            self._log("single changes")
            created, deleted = self._changes()
        return {
            "count": self._count,
            "start": full,
            "start_empty": empty,
            "memory_kib": memory,
            "create": created,
            "delete": deleted,
        }

    def sessions(
        self, count: int
    ) -> tuple[dict[str, list[int]], documents.Sessions]:
        """Measure throughput of one session, and memory of idle sessions."""
        screen_port = programs.free_port()
        self._data.set_screens(rfb_ends.ADDRESS, screen_port)
        with forwarding.end("screen", str(screen_port)):
            with self._agent(count) as (agent, _):
                ports = sorted(console_agent.listening_ports(agent.pid))
                rates = self._rates(ports[0], screen_port)
                kib_each = self._memory_each(agent, "hold")
            tls_kib_each = self._tls_memory_each(count)
        return rates, {
            "count": len(ports),
            "kib_each": kib_each,
            "tls_kib_each": tls_kib_each,
        }

    def _tls_memory_each(self, count: int) -> float:
        """Return the memory of idle sessions with TLS, in KiB each."""
        folder = self._data.folder / "tls"
        folder.mkdir()
        authority = certificates.make(folder, name=rfb_ends.ADDRESS)
        console_agent.configure(self._data, self._ports, authority)
        with self._agent(count) as (agent, _):
            return self._memory_each(agent, "hold-tls", str(authority.ca_file))

    def _memory_each(self, agent: Agent, *how: str) -> float:
        """Return the memory that each of one session per console adds.

        :param how: the first arguments of ``rfb_ends``
        :returns: in KiB
        """
        ports = sorted(console_agent.listening_ports(agent.pid))
        before = machine.resident(agent.process.pid)
        with forwarding.end(*how, stage.PASSWORD, *map(str, ports)):
            time.sleep(_SETTLE_SECONDS)
            after = machine.resident(agent.process.pid)
        each = round((after - before) / len(ports), 1)
        self._log(f"{len(ports)} idle sessions ({how[0]}): {each} KiB each")
        return each

    @contextmanager
    def _agent(self, count: int) -> Iterator[tuple[Agent, float]]:
        """Run an agent; yield it and the seconds that its start took.

        :param count: the number of consoles
        """
        self._data.set_host(count, ports=self._ports)
        began = time.monotonic()
        agent = console_agent.start(self._data)
        seconds = time.monotonic() - began
        try:
            _check_ports(agent, count)
            yield agent, seconds
        finally:
            agent.kill()

    def _changes(self) -> tuple[list[float], list[float]]:
        """Create and delete consoles one by one, as the API does.

        :returns: seconds until a port opened, and until it closed
        """
        database = Database(configuration.load(self._data.folder))
        created: list[float] = []
        deleted: list[float] = []
        try:
            for number in range(self._count, self._count + CHANGES):
                server_id = stage.server_id(number)
                _wait_up_to_a_second()
                row = self._create(database, server_id)
                created.append(_seconds_until(row.port, is_open=True))
                _wait_up_to_a_second()
                consoles.delete(database, server_id, row.id)
                deleted.append(_seconds_until(row.port, is_open=False))
        finally:
            database.close()
        return created, deleted

    def _create(self, database: Database, server_id: str) -> _Created:
        """Return id and port of a new console."""
        host = console_hosts.list_all(database)[0]
        console = consoles.NewConsole(
            server_id=server_id,
            instance_name="new",
            encrypted_password=self._data.encrypted_password,
            lifetime=None,
        )
        placed = consoles.insert(database, host, console)
        if placed is not consoles.Placed.DONE:
            message = f"A console could not be created: {placed.name}."
            raise programs.BenchmarkError(message)
        own = tables.consoles.c.server_id == server_id
        columns = (tables.consoles.c.id, tables.consoles.c.port)
        [created] = database.read(sa.select(*columns).where(own), _Created)
        return created

    def _rates(
        self, agent_port: int, screen_port: int
    ) -> dict[str, list[int]]:
        rates: dict[str, list[int]] = {name: [] for name in FORWARDERS}
        for is_counted in (False, *[True] * self._settings.rounds):
            for name in FORWARDERS:
                if name == "agent":
                    rate = self._rate(agent_port)
                else:
                    with forwarding.socat(
                        name.split()[1:], screen_port
                    ) as port:
                        rate = self._rate(port)
                if is_counted:
                    rates[name].append(rate)
                    self._log(f"{name}: {rate / 1e6:,.0f} MB/s")
        return rates

    def _rate(self, port: int) -> int:
        """Return the bytes per second that a viewer receives."""
        seconds = str(self._settings.seconds)
        command = forwarding.command(
            "view", str(port), stage.PASSWORD, seconds
        )
        output = programs.run(command, variables=forwarding.VARIABLES)
        return int(json.loads(output))


def _check_ports(agent: Agent, count: int) -> None:
    """Check that the agent listens on almost all ports of its consoles.

    :raises BenchmarkError: it does not
    """
    listening = len(console_agent.listening_ports(agent.pid))
    if listening < count * _MIN_LISTENING:
        message = (
            f"The agent listens for {listening} of {count} consoles; its log "
            f"ends with:\n{agent.log[-1000:]}"
        )
        raise programs.BenchmarkError(message)


def _wait_up_to_a_second() -> None:
    # Otherwise each change would come just after a poll of the agent.
    time.sleep(random.uniform(0, 1))


def _seconds_until(port: int, *, is_open: bool) -> float:
    """Wait until a port is open or closed; return the seconds it took."""
    began = time.monotonic()
    while _is_open(port) is not is_open:
        if time.monotonic() - began > _CHANGE_TIMEOUT:
            message = f"A change took more than {_CHANGE_TIMEOUT:.0f} s."
            raise programs.BenchmarkError(message)
        time.sleep(0.005)
    return round(time.monotonic() - began, 3)


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((rfb_ends.ADDRESS, port)) == 0
