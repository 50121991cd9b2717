# SPDX-License-Identifier: Apache-2.0
"""Measure how console_api scales with tokens, consoles and workers."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import sqlalchemy as sa

from benchmarks import (
    bulk,
    databases,
    documents,
    load,
    machine,
    programs,
    stage,
    wsgi_servers,
)
from benchmarks.operations import OPERATIONS, Operation
from benchmarks.settings import CONNECTIONS, THREADS, Log, Settings
from console_api.db import tables

TOKENS = (1_000, 100_000, 10_000_000)
CONSOLES = (100, 10_000, 100_000)
#: No range of ports has room for more.
PORTS_TAKEN = (100, 10_000, 60_000)
EXPIRED = 1_000_000
WORKERS = (1, 2, 4, 8)

#: Enough for each worker to get some.
_MANY_CONNECTIONS = 32

#: Creations per run, each for another server.
_CREATIONS = 1_000

_DAY = 86_400
_QUICK_DIVISOR = 100


def run(
    settings: Settings, log: Log, *, quick: bool = False
) -> documents.Growth:
    """Measure how console_api scales on each database.

    :param quick: whether to use a hundredth of the rows
    :raises BenchmarkError: a response was wrong, or a program failed
    """
    load.check_installed()
    document: documents.Growth = {
        "machine": machine.describe(),
        "settings": {
            "rounds": settings.rounds,
            "seconds": settings.seconds,
            "threads": THREADS,
            "connections": CONNECTIONS,
            "connections_workers": _MANY_CONNECTIONS,
        },
        "databases": {},
    }
    for kind in settings.kinds:
        growth = _Growth(settings, kind, _QUICK_DIVISOR if quick else 1, log)
        document["databases"][kind] = growth.run()
    return document


class _Growth:
    """The measurements on one database."""

    def __init__(
        self,
        settings: Settings,
        kind: databases.Kind,
        divisor: int,
        log: Log,
    ) -> None:
        self._settings = settings
        self._kind = kind
        self._divisor = divisor
        self._log_line = log

    def run(self) -> documents.GrowthDatabase:
        """Take all measurements, one after the other."""
        return {
            "tokens": self._tokens(),
            "consoles": self._consoles(),
            "purge": self._purge(),
            "workers": self._workers(),
            "version": self._version,
        }

    def _log(self, text: str) -> None:
        self._log_line(f"{self._kind}: {text}")

    def _fewer(self, sizes: Sequence[int]) -> list[int]:
        return [max(1, size // self._divisor) for size in sizes]

    def _tokens(self) -> documents.Sizes:
        """Measure look-ups of the same tokens in tables of different sizes.

        Each size has a database and a server of its own, which take turns.
        """
        sizes = self._fewer(TOKENS)
        found = {size: load.Series() for size in sizes}
        with ExitStack() as stack:
            servers = {}
            for size in sizes:
                data = stack.enter_context(self._stage(bulk.SERVERS))
                self._add_tokens(data, size, time.time() + _DAY)
                servers[size] = stack.enter_context(self._server(data))
            for server in servers.values():
                self._measure(server, "hit")  # warm up, not counted
            for _ in range(self._settings.rounds):
                for size, server in servers.items():
                    measured = self._measure(server, "hit")
                    found[size].add(measured)
                    self._log(f"{size} tokens: p50 {measured.p50:.2f} ms")
        return _documents(found)

    def _add_tokens(
        self, data: stage.Stage, size: int, expires_at: float
    ) -> None:
        self._log(f"inserting {size} tokens")
        engine = sa.create_engine(data.url)
        try:
            bulk.add_tokens(engine, size, int(expires_at))
        finally:
            engine.dispose()
        data.add_tokens("valid")

    def _consoles(self) -> documents.Consoles:
        """Measure lists and creations by the number of existing consoles."""
        with (
            self._stage(max(self._fewer(CONSOLES)) + _CREATIONS) as data,
            self._server(data) as server,
        ):

            def measure(
                name: str, size: int, *, is_multiplexed: bool = True
            ) -> documents.Series:
                operation = OPERATIONS[name]
                series = load.Series()
                self._log(f"{name} with {size} consoles on a host")
                requests = _requests(operation, size)
                for number in range(self._settings.rounds):
                    if operation.writes or number == 0:
                        data.set_host(size, is_multiplexed=is_multiplexed)
                    series.add(self._send(server, requests))
                return series.document()

            data.set_host()
            self._send(server, _requests(OPERATIONS["list"], 1))
            return {
                "list": {
                    str(size): measure("list", size)
                    for size in self._fewer(CONSOLES)
                },
                "create": {
                    str(size): measure("create", size)
                    for size in self._fewer(CONSOLES)
                },
                "port_search": {
                    str(size): measure("create", size, is_multiplexed=False)
                    for size in self._fewer(PORTS_TAKEN)
                },
            }

    def _purge(self) -> documents.Purge:
        """Measure look-ups before and during a purge of expired tokens."""
        [size] = self._fewer([EXPIRED])
        usual, during = load.Series(), load.Series()
        with self._stage(bulk.SERVERS) as data, self._server(data) as server:
            self._add_tokens(data, size, time.time() - _DAY)
            self._measure(server, "hit")  # warm up, not counted
            # A p99 takes more rounds to converge.
            for _ in range(3 * self._settings.rounds):
                usual.add(self._measure(server, "hit"))
            self._log("purging the expired tokens")
            started = time.monotonic()
            with _manage(data, "token", "purge") as process:
                while process.poll() is None:
                    measured = self._measure(server, "hit")
                    # The last one may have outlasted the purge.
                    if process.poll() is None or not during.rate:
                        during.add(measured)
                seconds = time.monotonic() - started
            left = data.count(tables.console_auth_tokens)
            if process.returncode or left != stage.TOKENS:
                message = "The purge failed."
                raise programs.ProgramFailed(message)
        return {
            "tokens": size,
            "seconds": round(seconds, 1),
            "usual": usual.document(),
            "during": during.document(),
        }

    def _workers(self) -> documents.Sizes:
        """Measure look-ups by the number of workers."""
        found = {workers: load.Series() for workers in WORKERS}
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
                    found[workers].add(measured)
                    self._log(f"{workers} workers: {measured.rate:.0f}/s")
        return _documents(found)

    def _measure(
        self,
        server: programs.GunicornServer,
        name: str,
        connections: int = CONNECTIONS,
    ) -> load.Measured:
        requests = OPERATIONS[name].requests(self._settings.seconds)
        return self._send(server, requests, connections)

    def _send(
        self,
        server: programs.GunicornServer,
        requests: load.Requests,
        connections: int = CONNECTIONS,
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
        return wsgi_servers.console_api_server(
            data, programs.free_port(), workers, THREADS
        )


def _documents(series: Mapping[int, load.Series]) -> documents.Sizes:
    return {str(size): one.document() for size, one in series.items()}


def _requests(operation: Operation, consoles: int) -> load.Requests:
    """Return reads of servers with a console, or writes to the others.

    :param consoles: how many servers have a console
    """
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


@contextmanager
def _manage(
    data: stage.Stage, *command: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run ``console-api-manage`` in the background."""
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
