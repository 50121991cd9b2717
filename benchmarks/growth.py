# SPDX-License-Identifier: Apache-2.0
"""How console_api grows: with tokens, consoles, expired tokens, workers."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks import (
    bulk,
    compare,
    databases,
    load,
    machine,
    programs,
    stage,
)
from benchmarks.operations import OPERATIONS, Operation
from console_api.db import tables

TOKENS = (1_000, 100_000, 10_000_000)
CONSOLES = (100, 10_000, 100_000)
#: A range of ports has no room for more.
PORTS_TAKEN = (100, 10_000, 60_000)
EXPIRED = 1_000_000
WORKERS = (1, 2, 4, 8)

#: So many that every worker gets some.
_MANY_CONNECTIONS = 32

#: Creations a run, each on a server of its own.
_CREATIONS = 1_000

_DAY = 86_400
_TRIAL = 100  # a trial has so many times fewer rows

Say = Callable[[str], None]


def run(
    settings: compare.Settings, say: Say, *, quick: bool = False
) -> dict[str, Any]:
    """Measure growth and return the document of the JSON file.

    :param quick: with a hundredth of the rows, to try it out.
    :raises BenchmarkError: an answer was wrong, or a program failed.
    """
    load.available()
    document: dict[str, Any] = {
        "machine": machine.describe(),
        "settings": {
            "rounds": settings.rounds,
            "seconds": settings.seconds,
            "threads": compare.THREADS,
            "connections": compare.CONNECTIONS,
            "connections_workers": _MANY_CONNECTIONS,
        },
        "databases": {},
    }
    for kind in settings.kinds:
        growth = _Growth(settings, kind, _TRIAL if quick else 1, say)
        document["databases"][kind] = growth.run()
    return document


class _Growth:
    """The measurements on one database."""

    def __init__(
        self,
        settings: compare.Settings,
        kind: databases.Kind,
        divisor: int,
        say: Say,
    ) -> None:
        self._settings = settings
        self._kind = kind
        self._divisor = divisor
        self._tell = say

    def run(self) -> dict[str, Any]:
        """Measure everything, one thing after the other."""
        return {
            "tokens": self._tokens(),
            "consoles": self._consoles(),
            "purge": self._purge(),
            "workers": self._workers(),
            "version": self._version,
        }

    def _say(self, text: str) -> None:
        self._tell(f"{self._kind}: {text}")

    def _fewer(self, sizes: Sequence[int]) -> list[int]:
        return [max(1, size // self._divisor) for size in sizes]

    def _tokens(self) -> dict[str, Any]:
        """Measure look-ups of the same tokens among more and more others.

        Each size has a database and a server of its own, and they take
        turns.
        """
        found: dict[str, Any] = {}
        with ExitStack() as stack:
            servers = {}
            for size in self._fewer(TOKENS):
                data = stack.enter_context(self._stage(bulk.SERVERS))
                self._add_tokens(data, size, time.time() + _DAY)
                servers[size] = stack.enter_context(self._server(data))
            for size, server in servers.items():
                found[str(size)] = load.Series()
                self._measure(server, "hit")  # warm up, not counted
            for _ in range(self._settings.rounds):
                for size, server in servers.items():
                    measured = self._measure(server, "hit")
                    found[str(size)].add(measured)
                    self._say(f"{size} tokens: p50 {measured.p50:.2f} ms")
        return {size: asdict(series) for size, series in found.items()}

    def _add_tokens(
        self, data: stage.Stage, size: int, expires_at: float
    ) -> None:
        self._say(f"making {size} tokens")
        engine = sa.create_engine(data.url)
        try:
            bulk.add_tokens(engine, size, int(expires_at))
        finally:
            engine.dispose()
        data.add_tokens("valid")

    def _consoles(self) -> dict[str, Any]:
        """Measure list and create, and create where ports are taken."""
        most = max(self._fewer(CONSOLES))
        with (
            self._stage(most + _CREATIONS) as data,
            self._server(data) as server,
        ):

            def measure(
                name: str, size: int, *, multiplexed: bool
            ) -> dict[str, Any]:
                operation = OPERATIONS[name]
                series = load.Series()
                self._say(f"{name} with {size} consoles on a host")
                requests = self._among(operation, size)
                for number in range(self._settings.rounds):
                    if operation.writes or number == 0:
                        data.set_host(size, multiplexed=multiplexed)
                    series.add(self._send(server, requests))
                return asdict(series)

            data.set_host()
            self._send(server, self._among(OPERATIONS["list"], 1))
            return {
                "list": {
                    str(size): measure("list", size, multiplexed=True)
                    for size in self._fewer(CONSOLES)
                },
                "create": {
                    str(size): measure("create", size, multiplexed=True)
                    for size in self._fewer(CONSOLES)
                },
                "port_search": {
                    str(size): measure("create", size, multiplexed=False)
                    for size in self._fewer(PORTS_TAKEN)
                },
            }

    def _among(self, operation: Operation, consoles: int) -> load.Requests:
        """Return requests for servers with a console, or for the others."""
        numbers = range(consoles, consoles + _CREATIONS)
        if not operation.writes:
            numbers = range(min(consoles, _CREATIONS))
        return load.Requests(
            paths=[operation.path(number) for number in numbers],
            headers=operation.headers,
            status=operation.status,
            method=operation.method,
            at_end="stop" if operation.writes else "again",
        )

    def _purge(self) -> dict[str, Any]:
        """Measure look-ups while expired tokens are purged, and before."""
        [size] = self._fewer([EXPIRED])
        usual, during = load.Series(), load.Series()
        with self._stage(bulk.SERVERS) as data, self._server(data) as server:
            self._add_tokens(data, size, time.time() - _DAY)
            self._measure(server, "hit")  # warm up, not counted
            # What is compared is a p99: it takes more rounds to settle.
            for _ in range(3 * self._settings.rounds):
                usual.add(self._measure(server, "hit"))
            self._say("purging them")
            started = time.monotonic()
            with _manage(data, "token", "purge") as process:
                while process.poll() is None:
                    measured = self._measure(server, "hit")
                    # One that the purge did not last for is of both.
                    if process.poll() is None or not during.rate:
                        during.add(measured)
                seconds = time.monotonic() - started
            left = data.count(tables.console_auth_tokens)
            if process.returncode or left != stage.TOKENS:
                message = "The purge has failed."
                raise programs.ProgramFailed(message)
        return {
            "tokens": size,
            "seconds": round(seconds, 1),
            "usual": asdict(usual),
            "during": asdict(during),
        }

    def _workers(self) -> dict[str, Any]:
        """Measure look-ups with more and more workers."""
        found = {str(workers): load.Series() for workers in WORKERS}
        with self._stage(stage.TOKENS) as data, ExitStack() as stack:
            data.set_tokens()
            servers = {}
            for workers in WORKERS:
                server = self._server(data, workers)
                servers[workers] = stack.enter_context(server)
                self._measure(server, "hit", _MANY_CONNECTIONS)  # warm up
            for _ in range(self._settings.rounds):
                for workers, server in servers.items():
                    measured = self._measure(server, "hit", _MANY_CONNECTIONS)
                    found[str(workers)].add(measured)
                    self._say(f"{workers} workers: {measured.rate:.0f}/s")
        return {workers: asdict(one) for workers, one in found.items()}

    def _measure(
        self,
        server: programs.GunicornServer,
        name: str,
        connections: int = compare.CONNECTIONS,
    ) -> load.Measured:
        requests = OPERATIONS[name].requests(self._settings.seconds)
        return self._send(server, requests, connections)

    def _send(
        self,
        server: programs.GunicornServer,
        requests: load.Requests,
        connections: int = compare.CONNECTIONS,
    ) -> load.Measured:
        return load.run(
            server,
            requests,
            seconds=self._settings.seconds,
            connections=connections,
            may_end=True,
        )

    @contextmanager
    def _stage(self, servers: int) -> Iterator[stage.Stage]:
        admin_url = self._settings.admin_urls.get(self._kind)
        with (
            tempfile.TemporaryDirectory(prefix="bench_") as name,
            databases.temporary(
                self._kind, Path(name), ["growth"], admin_url
            ) as [url],
            stage.open_stage(Path(name) / "own", url, servers) as data,
        ):
            self._version = machine.database_version(url)
            yield data

    def _server(
        self, data: stage.Stage, workers: int = 1
    ) -> programs.GunicornServer:
        return stage.console_api_server(
            data, programs.free_port(), workers, compare.THREADS
        )


@contextmanager
def _manage(
    data: stage.Stage, *command: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run ``console-api-manage`` beside what is measured."""
    program = Path(sys.executable).with_name("console-api-manage")
    with subprocess.Popen(
        [str(program), "--config-dir", str(data.folder), *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
