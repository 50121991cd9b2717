# SPDX-License-Identifier: Apache-2.0
"""Compare console_api with a bare application and Nova in one run.

The programs run concurrently on the same database, behind the same WSGI
server, and take turns: a round measures each operation of each program once,
so that other activity on the machine affects all of them.  The rows are
restored before each measurement that needs it.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import sqlalchemy as sa

from benchmarks import (
    databases,
    documents,
    load,
    machine,
    nova,
    nova_cloud,
    operations,
    programs,
    stage,
    wsgi_servers,
)
from benchmarks.operations import OPERATIONS, PROGRAMS, Operation
from benchmarks.settings import (
    CONNECTIONS,
    THREADS,
    WORKERS,
    Log,
    Settings,
)
from console_api.db import tables

# A second console_api, which logs each request as Nova does.
_LOGGING = "console_api, logging"


class _Comparison:
    """The running programs on one database."""

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
        """Measure one operation; return None if the program has no such."""
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
        """Check that each successful creation has inserted a row."""
        if not operation.adds_to:
            return
        table = tables.metadata.tables[operation.adds_to]
        before = 2 * stage.TOKENS if operation.state == "tokens" else 0
        inserted = self._data.count(table) - before
        if inserted < measured.responses:
            message = (
                f"{measured.responses} creations succeeded, but {table.name} "
                f"has only {inserted} new rows."
            )
            raise programs.BenchmarkError(message)


def run(settings: Settings, nova_venv: Path, log: Log) -> documents.Compare:
    """Measure all operations of all programs.

    :param nova_venv: the virtual environment of Nova, created if necessary
    :raises BenchmarkError: a response was wrong, or a program failed
    """
    load.check_installed()
    document: documents.Compare = {
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
    venv = _install_nova(nova_venv, document, log)
    for kind in settings.kinds:
        try:
            document["databases"][kind] = _compare(settings, kind, venv, log)
        except sa.exc.OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            document["skipped"][kind] = reason
            log(f"Skipping {kind}: {reason}")
    return document


def _install_nova(
    venv: Path, document: documents.Compare, log: Log
) -> Path | None:
    log("Installing Nova unless it is installed already")
    try:
        nova.install(venv)
    except nova.NovaUnavailable as error:
        document["skipped"]["nova"] = str(error).splitlines()[0]
        log(f"Skipping Nova: {error}")
        return None
    document["machine"]["packages"]["nova"] = nova.versions(venv)["nova"]
    return venv


def _compare(
    settings: Settings,
    kind: databases.Kind,
    venv: Path | None,
    log: Log,
) -> documents.CompareDatabase:
    log(f"{kind}: preparing")
    with _comparison(settings, kind, venv) as (comparison, version):
        for program in PROGRAMS:  # warm up, not counted
            comparison.measure("hit", program, seconds=1)
            comparison.measure("hit_logged", program, seconds=1)
        found = _rounds(
            settings, comparison, lambda text: log(f"{kind}: {text}")
        )
        return {
            "version": version,
            "memory": {
                program: machine.workers_memory(server.pid)
                for program, server in comparison.servers.items()
                if program in PROGRAMS
            },
            "operations": found,
        }


def _rounds(
    settings: Settings, comparison: _Comparison, log: Log
) -> dict[str, documents.Programs]:
    series: dict[str, dict[str, load.Series]] = {}
    for number in range(1, settings.rounds + 1):
        for name in settings.names:
            rates = []
            for program in PROGRAMS:
                measured = comparison.measure(name, program)
                if measured is None:
                    continue
                one = series.setdefault(name, {})
                one.setdefault(program, load.Series()).add(measured)
                rates.append(f"{program} {measured.rate:.0f}/s")
            log(f"round {number}, {name}: {', '.join(rates)}")
    return {
        name: {program: one.document() for program, one in found.items()}
        for name, found in series.items()
    }


@contextmanager
def _comparison(
    settings: Settings, kind: databases.Kind, venv: Path | None
) -> Iterator[tuple[_Comparison, str]]:
    admin_url = settings.admin_urls.get(kind)
    with ExitStack() as stack:
        enter = stack.enter_context
        folder = Path(enter(tempfile.TemporaryDirectory(prefix="bench_")))
        [url] = enter(
            databases.temporary(kind, folder, ["console_api"], admin_url)
        )
        count = max(stage.TOKENS, operations.MAX_PER_SECOND * settings.seconds)
        data = enter(stage.open_stage(folder / "own", url, count))
        data.set_host()
        servers = {
            "console_api": wsgi_servers.console_api_server(
                data, programs.free_port(), WORKERS, THREADS
            ),
            _LOGGING: wsgi_servers.logging_server(
                data, programs.free_port(), WORKERS, THREADS
            ),
            "bare": wsgi_servers.bare_server(
                data, programs.free_port(), WORKERS, THREADS
            ),
        }
        requests: dict[str, load.Requests] = {}
        if venv is not None:
            cloud = enter(
                nova_cloud.create(venv, folder / "nova", kind, admin_url)
            )
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
            _Comparison(settings, data, servers, requests),
            machine.database_version(url),
        )
