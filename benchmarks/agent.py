# SPDX-License-Identifier: Apache-2.0
"""What the agent of a console host takes: start, change, bytes, memory."""

import json
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks import (
    compare,
    console_agent,
    databases,
    machine,
    programs,
    rfb_ends,
    stage,
)
from console_api import conf as configuration
from console_api.db import console_hosts, consoles, tables
from console_api.db.engine import Database
from console_api.tests.functional.agents import Agent

CONSOLES = 10_000
SESSIONS = 1_000
CHANGES = 20

#: What bytes go through: the agent, and socat with and without an option.
WAYS = ("agent", "socat", "socat -b 65536")

_TRIAL = 100  # a trial has so many times fewer consoles and sessions
_LOWEST_PORT = 12_000
# The part of the consoles that has to listen: a busy machine has programs
# that hold some of the ports.
_ENOUGH = 0.99

_CHANGE_SECONDS = 30.0
_SETTLE_SECONDS = 2.0

Say = Callable[[str], None]


def run(
    settings: compare.Settings, say: Say, *, quick: bool = False
) -> dict[str, Any]:
    """Measure the agent and return the document of the JSON file.

    :param quick: with a hundredth of the consoles, to try it out.
    :raises BenchmarkError: something did not work, or not in time.
    """
    divisor = _TRIAL if quick else 1
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
        bench = _AgentBenchmark(settings, data, count, say)
        return {
            "machine": machine.describe() | {"socat": _socat_version()},
            "settings": {
                "rounds": settings.rounds,
                "seconds": settings.seconds,
            },
            "version": machine.database_version(url),
            "consoles": bench.consoles(),
            **bench.sessions(SESSIONS // divisor),
        }


class _AgentBenchmark:
    """The measurements on one database."""

    def __init__(
        self,
        settings: compare.Settings,
        data: stage.Stage,
        count: int,
        say: Say,
    ) -> None:
        self._settings = settings
        self._data = data
        self._count = count
        self._say = say
        # As many ports as there will ever be consoles.
        self._ports = (_LOWEST_PORT, _LOWEST_PORT + count + CHANGES)
        console_agent.configure(data, self._ports)

    def consoles(self) -> dict[str, Any]:
        """Measure start, changes and memory with all consoles."""
        # The start without consoles is what is no reconcile of the other.
        found: dict[str, Any] = {"count": self._count, "start": []}
        found["start_empty"] = []
        for _ in range(self._settings.rounds):
            for name, count in (("start_empty", 0), ("start", self._count)):
                with self._agent(count) as (_, seconds):
                    found[name].append(round(seconds, 2))
                self._say(f"start with {count} consoles: {seconds:.2f} s")
        with self._agent(self._count) as (agent, _):
            found["memory_kib"] = machine.resident(agent.process.pid)
            self._say("single changes")
            found |= self._changes()
        return found

    def sessions(self, count: int) -> dict[str, Any]:
        """Measure bytes through one session, and many idle sessions."""
        screen_port = programs.free_port()
        self._data.set_screens(rfb_ends.ADDRESS, screen_port)
        with (
            _end("screen", str(screen_port)),
            self._agent(count) as (agent, _),
        ):
            ports = sorted(console_agent.listening_ports(agent.process))
            rates = self._rates(ports[0], screen_port)
            before = machine.resident(agent.process.pid)
            with _end("hold", stage.PASSWORD, *map(str, ports)):
                time.sleep(_SETTLE_SECONDS)
                after = machine.resident(agent.process.pid)
        each = (after - before) / len(ports)
        self._say(f"{len(ports)} idle sessions: {each:.1f} KiB each")
        return {
            "bytes_per_second": rates,
            "sessions": {"count": len(ports), "kib_each": round(each, 1)},
        }

    @contextmanager
    def _agent(self, count: int) -> Iterator[tuple[Agent, float]]:
        """Run an agent with so many consoles; tells how long it started."""
        self._data.set_host(count, ports=self._ports)
        began = time.monotonic()
        agent = console_agent.start(self._data)
        seconds = time.monotonic() - began
        try:
            _check_ports(agent, count)
            yield agent, seconds
        finally:
            agent.kill()

    def _changes(self) -> dict[str, list[float]]:
        """Create and delete consoles one by one, as the API does."""
        database = Database(configuration.load(self._data.folder))
        found: dict[str, list[float]] = {"create": [], "delete": []}
        try:
            for number in range(self._count, self._count + CHANGES):
                server_id = stage.server_id(number)
                _wait_a_moment()
                row = self._create(database, server_id)
                found["create"].append(_seconds_until(row.port, opened=True))
                _wait_a_moment()
                consoles.delete(database, server_id, row.id)
                found["delete"].append(_seconds_until(row.port, opened=False))
        finally:
            database.close()
        return found

    def _create(self, database: Database, server_id: str) -> sa.Row[Any]:
        host = console_hosts.list_enabled(database)[0]
        values = {
            "server_id": server_id,
            "instance_name": "new",
            "encrypted_password": self._data.encrypted_password,
            "created_at": 0,
        }
        placed = consoles.insert(database, host, values)
        if placed is not consoles.Placed.DONE:
            message = f"A console could not be created: {placed.name}."
            raise programs.BenchmarkError(message)
        own = tables.consoles.c.server_id == server_id
        return database.read(sa.select(tables.consoles).where(own))[0]

    def _rates(self, agent_port: int, screen_port: int) -> Any:
        rates: dict[str, list[int]] = {way: [] for way in WAYS}
        for counted in (False, *[True] * self._settings.rounds):
            for way in WAYS:
                if way == "agent":
                    rate = self._rate(agent_port)
                else:
                    with _socat(way.split()[1:], screen_port) as port:
                        rate = self._rate(port)
                if counted:
                    rates[way].append(rate)
                    self._say(f"{way}: {rate / 1e6:,.0f} MB/s")
        return rates

    def _rate(self, port: int) -> int:
        """Return the bytes that a viewer gets in a second."""
        seconds = str(self._settings.seconds)
        command = _command("view", str(port), stage.PASSWORD, seconds)
        output = programs.run(command, variables=_VARIABLES)
        return int(json.loads(output))


def _check_ports(agent: Agent, count: int) -> None:
    """Raise when consoles are missing, but for ports that others have."""
    listening = len(console_agent.listening_ports(agent.process))
    if listening < count * _ENOUGH:
        message = (
            f"Of {count} consoles, {listening} listen; the agent's log "
            f"ends with:\n{agent.log[-1000:]}"
        )
        raise programs.BenchmarkError(message)


_VARIABLES = {"PYTHONPATH": str(stage.ROOT)}


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.rfb_ends", *arguments]


@contextmanager
def _end(*arguments: str) -> Iterator[None]:
    """Run one end of sessions in the background, once it is ready."""
    with subprocess.Popen(
        _command(*arguments),
        env=programs.environment(_VARIABLES),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            if process.stdout.readline() != b"ready\n":
                message = f"rfb_ends {arguments[0]} ended while it started."
                raise programs.ProgramFailed(message)
            yield
        finally:
            process.kill()


@contextmanager
def _socat(options: list[str], screen_port: int) -> Iterator[int]:
    """Run socat for one connection; gives its port."""
    address, port = rfb_ends.ADDRESS, programs.free_port()
    with subprocess.Popen(
        [
            *("socat", *options),
            f"TCP-LISTEN:{port},bind={address},reuseaddr",
            f"TCP:{address}:{screen_port}",
        ],
        # It complains when the viewer has seen enough.
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield port
        finally:
            process.kill()


def _wait_a_moment() -> None:
    # Or each change would come just after the agent has asked for changes.
    time.sleep(random.uniform(0, 1))


def _seconds_until(port: int, *, opened: bool) -> float:
    """Wait until a port is open or closed; returns how long that took."""
    began = time.monotonic()
    while _is_open(port) is not opened:
        if time.monotonic() - began > _CHANGE_SECONDS:
            message = f"A change was not made in {_CHANGE_SECONDS} seconds."
            raise programs.BenchmarkError(message)
        time.sleep(0.005)
    return round(time.monotonic() - began, 3)


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((rfb_ends.ADDRESS, port)) == 0


def _socat_version() -> str:
    output = programs.run(["socat", "-V"])
    return next(
        line.split()[2]
        for line in output.splitlines()
        if line.startswith("socat version")
    )
