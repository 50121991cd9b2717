# SPDX-License-Identifier: Apache-2.0
"""console_api beside a bare application and Nova, in one run.

All programs of a database run at the same time behind the same WSGI server
and take turns: a round measures each operation of each program once, so that
whatever else the machine does meets all of them.  The rows are put back
before each measurement that needs it.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks import (
    databases,
    load,
    machine,
    nova,
    operations,
    programs,
    stage,
)
from benchmarks.operations import OPERATIONS, PROGRAMS, Operation
from console_api.db import tables

WORKERS = 1
THREADS = 4
CONNECTIONS = 4

# console_api once more, logging each request as Nova does.
_LOGGING = "console_api, logging"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What to measure, and how long."""

    kinds: Sequence[databases.Kind]
    names: Sequence[str]
    rounds: int
    seconds: int
    admin_urls: Mapping[str, str]


class _Bench:
    """The programs on one database, ready to be measured."""

    def __init__(
        self,
        settings: Settings,
        data: stage.Stage,
        servers: Mapping[str, programs.GunicornServer],
        nova_requests: Mapping[str, load.Requests],
    ) -> None:
        self._settings = settings
        self._data = data
        self.servers = servers
        self._nova_requests = nova_requests
        self._state = ""

    def measure(
        self, name: str, program: str, seconds: int | None = None
    ) -> load.Measured | None:
        """Measure one operation; None if the program does not have it."""
        operation = OPERATIONS[name]
        if program not in self.servers or program in (operation.missing or {}):
            return None
        seconds = seconds or self._settings.seconds
        if program == "nova":
            requests = self._nova_requests[name]
        else:
            self._prepare(operation)
            requests = operation.requests(seconds)
        logged = operation.logged and program == "console_api"
        measured = load.run(
            self.servers[_LOGGING if logged else program],
            requests,
            seconds=seconds,
            connections=CONNECTIONS,
        )
        if program != "nova":
            self._check(operation, measured)
        return measured

    def _prepare(self, operation: Operation) -> None:
        if self._state != operation.state:
            if operation.state == "tokens":
                self._data.set_tokens()
            else:
                full = operation.state == "consoles"
                self._data.set_host(self._data.servers if full else 0)
        self._state = "" if operation.writes else operation.state

    def _check(self, operation: Operation, measured: load.Measured) -> None:
        """Make sure that every creation has created something."""
        if not operation.adds_to:
            return
        table = tables.metadata.tables[operation.adds_to]
        before = 2 * stage.TOKENS if operation.state == "tokens" else 0
        made = self._data.count(table) - before
        if made < measured.answers:
            message = f"{measured.answers} answers, {made} {table.name} made."
            raise programs.BenchmarkError(message)


def run(settings: Settings, nova_venv: Path, say: Say) -> dict[str, Any]:
    """Measure everything and return the document of the JSON file.

    :raises BenchmarkError: an answer was wrong, or a program failed.
    """
    load.available()
    document: dict[str, Any] = {
        "machine": machine.describe(),
        "settings": {
            "workers": WORKERS,
            "threads": THREADS,
            "connections": CONNECTIONS,
            "rounds": settings.rounds,
            "seconds": settings.seconds,
        },
        "databases": {},
        "skipped": {},
    }
    venv = _install_nova(nova_venv, document, say)
    for kind in settings.kinds:
        try:
            _compare(settings, kind, venv, document, say)
        except sa.exc.OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            document["skipped"][kind] = reason
            say(f"{kind} is left out: {reason}")
    return document


def _install_nova(
    venv: Path, document: dict[str, Any], say: Say
) -> Path | None:
    say("Installing Nova, unless it is there")
    try:
        nova.install(venv)
    except nova.NovaUnavailable as error:
        document["skipped"]["nova"] = str(error).splitlines()[0]
        say(f"Nova is left out: {error}")
        return None
    document["machine"]["packages"]["nova"] = nova.versions(venv)["nova"]
    return venv


def _compare(
    settings: Settings,
    kind: databases.Kind,
    venv: Path | None,
    document: dict[str, Any],
    say: Say,
) -> None:
    say(f"{kind}: preparing")
    with _bench(settings, kind, venv) as (bench, version):
        for program in PROGRAMS:  # warm up, not counted
            bench.measure("hit", program, seconds=1)
            bench.measure("hit_logged", program, seconds=1)
        found = _rounds(settings, bench, lambda text: say(f"{kind}: {text}"))
        document["databases"][kind] = {
            "version": version,
            "memory": {
                program: machine.workers_memory(server.pid)
                for program, server in bench.servers.items()
                if program in PROGRAMS
            },
            "operations": found,
        }


def _rounds(settings: Settings, bench: _Bench, say: Say) -> dict[str, Any]:
    series: dict[str, dict[str, load.Series]] = {}
    for number in range(1, settings.rounds + 1):
        for name in settings.names:
            rates = []
            for program in PROGRAMS:
                measured = bench.measure(name, program)
                if measured is None:
                    continue
                one = series.setdefault(name, {})
                one.setdefault(program, load.Series()).add(measured)
                rates.append(f"{program} {measured.rate:.0f}/s")
            say(f"round {number}, {name}: {', '.join(rates)}")
    return {
        name: {program: asdict(one) for program, one in found.items()}
        for name, found in series.items()
    }


@contextmanager
def _bench(
    settings: Settings, kind: databases.Kind, venv: Path | None
) -> Iterator[tuple[_Bench, str]]:
    admin_url = settings.admin_urls.get(kind)
    with ExitStack() as stack:
        enter = stack.enter_context
        folder = Path(enter(tempfile.TemporaryDirectory(prefix="bench_")))
        [url] = enter(
            databases.temporary(kind, folder, ["console_api"], admin_url)
        )
        count = max(stage.TOKENS, operations.MOST_A_SECOND * settings.seconds)
        data = enter(stage.open_stage(folder / "own", url, count))
        data.set_host()
        servers = {
            "console_api": stage.console_api_server(
                data, programs.free_port(), WORKERS, THREADS
            ),
            _LOGGING: stage.logging_server(
                data, programs.free_port(), WORKERS, THREADS
            ),
            "bare": stage.bare_server(
                data, programs.free_port(), WORKERS, THREADS
            ),
        }
        requests: dict[str, load.Requests] = {}
        if venv is not None:
            cloud = enter(nova.cloud(venv, folder / "nova", kind, admin_url))
            requests = operations.nova_requests(cloud)
            servers["nova"] = nova.NovaServer(
                cloud,
                port=programs.free_port(),
                workers=WORKERS,
                threads=THREADS,
            )
        for server in servers.values():
            enter(server)
        yield (
            _Bench(settings, data, servers, requests),
            machine.database_version(url),
        )
