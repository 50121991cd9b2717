# SPDX-License-Identifier: Apache-2.0
"""Measure where the time of a request goes, by layer.

``sampler`` samples the layers of the application in one process, without a
WSGI server.  The cost of the WSGI server is the time of a request to an
application that does nothing, over one connection.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import (
    databases,
    documents,
    load,
    machine,
    programs,
    stage,
    wsgi_servers,
)
from benchmarks.operations import MAX_PER_SECOND, OPERATIONS
from benchmarks.settings import Log, Settings

#: The layer that is measured separately.
SERVER = "WSGI server"


def run(settings: Settings, log: Log) -> documents.Profile:
    """Profile the operations on each database.

    :raises BenchmarkError: a response was wrong, or a program failed
    """
    load.check_installed()
    document: documents.Profile = {
        "machine": machine.describe(),
        "settings": {"seconds": settings.seconds},
        "databases": {},
    }
    for kind in settings.kinds:
        with _stage(settings, kind) as data:
            log(f"{kind}: {SERVER}")
            server = _server(data, settings.seconds)
            found = {}
            for name in settings.names:
                log(f"{kind}: {name}")
                found[name] = _profile(data, name, settings.seconds)
                found[name]["layers"][SERVER] = server
            document["databases"][kind] = {
                "version": machine.database_version(data.url),
                "operations": found,
            }
    return document


def _profile(data: stage.Stage, name: str, seconds: int) -> documents.Samples:
    operation = OPERATIONS[name]
    data.set_tokens()
    full = operation.state == "consoles"
    data.set_host(data.servers if full else 0)
    output = programs.run(
        [
            *(sys.executable, "-m", "benchmarks.sampler"),
            *(str(data.folder), name, str(seconds)),
        ],
        variables={"PYTHONPATH": str(stage.ROOT)},
    )
    found: documents.Samples = json.loads(output)
    if found.pop("statuses") != [str(operation.status)]:
        message = f"Some responses to {name} were not {operation.status}."
        raise programs.BenchmarkError(message)
    return found


def _server(data: stage.Stage, seconds: int) -> float:
    """Return the microseconds that the WSGI server adds to a request."""
    requests = OPERATIONS["hit"].requests(seconds)
    with wsgi_servers.empty_server(data, programs.free_port()) as server:
        rates = [
            load.run(server, requests, seconds=seconds, connections=1).rate
            for _ in range(3)
        ]
    return round(1e6 / sorted(rates)[1], 1)


@contextmanager
def _stage(settings: Settings, kind: databases.Kind) -> Iterator[stage.Stage]:
    admin_url = settings.admin_urls.get(kind)
    count = MAX_PER_SECOND * settings.seconds
    with (
        tempfile.TemporaryDirectory(prefix="bench_") as name,
        databases.temporary(kind, Path(name), ["profile"], admin_url) as [url],
        stage.open_stage(Path(name) / "own", url, count) as data,
    ):
        yield data
