# SPDX-License-Identifier: Apache-2.0
"""Sample where the time of a request goes; the child process of ``profile``.

A timer interrupts the application a thousand times per second.  Each sample
counts for the layer of the innermost function that belongs to one.  Unlike a
profiler that traces calls, this does not overstate small functions, and it
includes the time spent waiting for the database.
"""

import argparse
import collections
import functools
import io
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Self

from benchmarks import documents
from benchmarks.operations import OPERATIONS
from console_api import conf as configuration

#: Substrings of the paths of each layer; the first match counts.
LAYERS: Mapping[str, tuple[str, ...]] = {
    "log": ("api/middleware/request_log", "/logging/", "/oslo_log/"),
    "policy": ("console_api/policy", "console_api/policies", "/oslo_policy/"),
    "context": ("api/middleware/context", "/oslo_context/"),
    "routing": ("console_api/api/routes", "/routes/"),
    "microversion": ("console_api/api/microversion", "/microversion_parse"),
    "JSON and answer": ("/json/", "console_api/api/response"),
    "filters and dispatch": (
        "console_api/api/",
        "/oslo_middleware/",
        "/paste/",
        "/webob/",
    ),
    "domain": (
        "console_api/tokens",
        "console_api/consoles",
        "console_api/directory",
    ),
    "console_api.db": ("console_api/db/", "/oslo_db/"),
    "driver and database": ("/pymysql/", "/psycopg2/"),
    "SQLAlchemy": ("/sqlalchemy/",),
}

# SQLAlchemy calls drivers here; some of them are not written in Python.
_DRIVER_CALLS = frozenset(
    {"do_execute", "do_executemany", "do_commit", "do_rollback", "do_begin"}
)
_DRIVER = "driver and database"
_OTHER = "other"

_INTERVAL = 0.001
_WARM_UP = 200


@functools.cache
def layer_of(filename: str, function: str) -> str | None:
    """Return the layer of a function; None if its caller decides."""
    path = filename.replace(os.sep, "/").lower()
    for layer, parts in LAYERS.items():
        if any(part in path for part in parts):
            if layer == "SQLAlchemy" and function in _DRIVER_CALLS:
                return _DRIVER
            return layer
    return None


class Sampler:
    """Counts samples by layer, in the main thread, in a ``with`` block."""

    def __init__(self) -> None:
        """Start with no samples."""
        self.counts: collections.Counter[str] = collections.Counter()

    def __enter__(self) -> Self:
        """Start the timer."""
        signal.signal(signal.SIGALRM, self._sample)
        signal.setitimer(signal.ITIMER_REAL, _INTERVAL, _INTERVAL)
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop the timer."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _sample(self, _signal: int, frame: FrameType | None) -> None:
        while frame is not None:
            code = frame.f_code
            layer = layer_of(code.co_filename, code.co_name)
            if layer is not None:
                self.counts[layer] += 1
                return
            frame = frame.f_back
        self.counts[_OTHER] += 1


def _environs(name: str, seconds: int) -> Iterator[dict[str, object]]:
    """Yield the WSGI environments of consecutive requests."""
    requests = OPERATIONS[name].requests(seconds)
    body = requests.body.encode()
    common: dict[str, object] = {
        "REQUEST_METHOD": requests.method,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "CONTENT_TYPE": "application/json" if body else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
    }
    for header, value in requests.headers.items():
        common["HTTP_" + header.upper().replace("-", "_")] = value
    paths: Iterator[str] = iter(requests.paths)
    if requests.at_end == "again":
        paths = itertools.cycle(requests.paths)
    for path in paths:
        yield common | {"PATH_INFO": path, "wsgi.input": io.BytesIO(body)}


def sample(name: str, seconds: int) -> documents.Samples:
    """Send consecutive requests and return where the time was spent."""
    # The import reads the configuration.
    from console_api.wsgi import application  # noqa: PLC0415

    environs = _environs(name, seconds)
    statuses: list[str] = []

    def start_response(
        status: str, *_rest: object
    ) -> Callable[[bytes], object]:
        statuses.append(status[:3])
        return io.BytesIO().write

    for environ in itertools.islice(environs, _WARM_UP):
        b"".join(application(environ, start_response))
    statuses.clear()
    started = time.perf_counter()
    with Sampler() as sampler:
        for environ in environs:
            b"".join(application(environ, start_response))
            if time.perf_counter() - started > seconds:
                break
    elapsed = time.perf_counter() - started
    total = sampler.counts.total()
    each = elapsed / len(statuses) * 1e6
    return {
        "requests": len(statuses),
        "statuses": sorted(set(statuses)),
        "microseconds": round(each, 1),
        "layers": {
            layer: round(each * count / total, 1)
            for layer, count in sampler.counts.most_common()
        },
    }


def main() -> None:
    """Sample one operation and print the result as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("operation", choices=list(OPERATIONS))
    parser.add_argument("seconds", type=int)
    arguments = parser.parse_args()
    os.environ[configuration.ENVIRONMENT] = str(arguments.folder)
    # As behind the WSGI server, the application logs into a file.
    log = os.open(arguments.folder / "sampler.log", os.O_CREAT | os.O_WRONLY)
    with os.fdopen(os.dup(1), "w") as output:
        os.dup2(log, 1)
        found = sample(arguments.operation, arguments.seconds)
        output.write(json.dumps(found))


if __name__ == "__main__":
    main()
