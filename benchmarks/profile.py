# SPDX-License-Identifier: Apache-2.0
"""Where the time of one request goes, by layer.

The layers of the application are sampled in one process without a WSGI
server (``sampler``).  What the WSGI server costs is the time of a request to
an application that does nothing, over one connection.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import compare, databases, load, machine, programs, stage
from benchmarks.operations import MOST_A_SECOND, OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The layer that is measured apart from the others.
SERVER = "WSGI server"

Say = Callable[[str], None]


def run(settings: compare.Settings, say: Say) -> dict[str, Any]:
    """Profile the operations and return the document of the JSON file.

    :raises BenchmarkError: an answer was wrong, or a program failed.
    """
    load.available()
    document: dict[str, Any] = {
        "machine": machine.describe(),
        "settings": {"seconds": settings.seconds},
        "databases": {},
    }
    for kind in settings.kinds:
        with _stage(settings, kind) as data:
            say(f"{kind}: {SERVER}")
            server = _server(data, settings.seconds)
            found = {}
            for name in settings.names:
                say(f"{kind}: {name}")
                found[name] = _profile(data, name, settings.seconds)
                found[name]["layers"][SERVER] = server
            document["databases"][kind] = {
                "version": machine.database_version(data.url),
                "operations": found,
            }
    return document


def _profile(data: stage.Stage, name: str, seconds: int) -> dict[str, Any]:
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
    found: dict[str, Any] = json.loads(output)
    if found.pop("statuses") != [str(operation.status)]:
        message = f"Not every answer to {name} was {operation.status}."
        raise programs.BenchmarkError(message)
    return found


def _server(data: stage.Stage, seconds: int) -> float:
    """Return what the WSGI server alone takes for a request, microseconds."""
    requests = OPERATIONS["hit"].requests(seconds)
    with stage.empty_server(data, programs.free_port()) as server:
        rates = [
            load.run(server, requests, seconds=seconds, connections=1).rate
            for _ in range(3)
        ]
    return round(1e6 / sorted(rates)[1], 1)


@contextmanager
def _stage(
    settings: compare.Settings, kind: databases.Kind
) -> "Iterator[stage.Stage]":
    admin_url = settings.admin_urls.get(kind)
    count = MOST_A_SECOND * settings.seconds
    with (
        tempfile.TemporaryDirectory(prefix="bench_") as name,
        databases.temporary(kind, Path(name), ["profile"], admin_url) as [url],
        stage.open_stage(Path(name) / "own", url, count) as data,
    ):
        yield data
