# SPDX-License-Identifier: Apache-2.0
"""Real servers for tests: gunicorn on a port that nobody else has.

Each is a process of its own, with the one or two of its workers.  It is forked
from a process that has imported what all of them import, which takes a server
longer than all else that it does until it answers.
"""

import atexit
import json
import multiprocessing
import os
import socket
import sys
import types
from multiprocessing import reduction
from pathlib import Path
from unittest import mock

from gunicorn.app import wsgiapp

from console_api import conf
from console_api.tests.functional import (
    client,
    configuration,
    gunicorn_settings,
)
from console_api.tests.functional.configuration import Options
from console_api.tests.functional.databases import TestDatabase

# Seconds that a server may take to answer first, and to end.
START_TIMEOUT = 60
STOP_TIMEOUT = 20


# What a server has imported when it answers; the application is not among it.
_IMPORTED = [
    "gunicorn.app.wsgiapp",
    "gunicorn.workers.gthread",
    "console_api.api.pipeline",
    "keystonemiddleware.auth_token",
    "oslo_middleware.healthcheck",
    "pymysql",
    "psycopg2",
]

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(_IMPORTED)


class NotStarted(Exception):
    """The server ended instead of answering; the text is its log."""


class Server:
    """A running server with a configuration folder of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        address: str = "127.0.0.1",
        workers: int = 1,
        threads: int = 8,
    ) -> None:
        """Start it and wait until it answers.

        :param folder: the configuration
        :param address: where it listens; `::` means IPv4 too
        :raises NotStarted: it ended instead
        """
        self.folder = folder
        self._log = folder / "server.log"
        # Bound and listening before the server is there, so that nobody
        # takes the port and no connection is refused while it starts.
        listener = socket.create_server(
            (address, 0),
            family=socket.AF_INET6 if ":" in address else socket.AF_INET,
            backlog=128,
            dualstack_ipv6=address == "::",
        )
        with listener, self._log.open("wb") as log:
            self.port = listener.getsockname()[1]
            self._process = _processes.Process(
                target=_serve,
                args=(
                    [
                        *("--workers", str(workers)),
                        *("--threads", str(threads)),
                    ],
                    {**os.environ, conf.ENVIRONMENT: str(folder)},
                    _Descriptor(listener.fileno()),
                    _Descriptor(log.fileno()),
                ),
                daemon=True,
            )
            # It would import the program that runs the tests.
            with mock.patch.dict(
                sys.modules, {"__main__": types.ModuleType("__main__")}
            ):
                self._process.start()
        atexit.register(self.stop)
        self._wait_for_answer()

    @property
    def url(self) -> str:
        """Where it is reached from this machine."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """All that the server has logged until now."""
        return self._log.read_text(errors="replace")

    def client(self, **kwargs) -> client.Client:
        """Return a client of this server."""
        return client.Client(self, **kwargs)

    def stop(self) -> None:
        """Ask the server to end, and wait until it has."""
        atexit.unregister(self.stop)
        self._process.terminate()
        self._process.join(STOP_TIMEOUT)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
            raise TimeoutError(f"The server does not end: {self.log}")

    def _wait_for_answer(self) -> None:
        # The connection waits in the queue of the socket; if the server
        # ends instead, nobody has the socket any more and it is reset.
        try:
            client.Client(self, prefix="", timeout=START_TIMEOUT).get("/")
        except OSError as error:
            self.stop()
            raise NotStarted(self.log) from error


class _Descriptor:
    """Takes an open file along to the process of a server."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self):
        return _detach, (reduction.DupFd(self.number),)


def _detach(descriptor) -> int:
    return descriptor.detach()


def _serve(arguments, environment, listener: int, log: int) -> None:
    """Become gunicorn, as if it had been started from a command line."""
    for output in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(log, output)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [
        "gunicorn",
        "--no-control-socket",
        *("--config", f"python:{gunicorn_settings.__name__}"),
        *("--bind", f"fd://{listener}"),
        # The default is shorter than what the tests ask for.
        *("--limit-request-line", "0"),
        *("--graceful-timeout", "5"),
        *arguments,
        "console_api.wsgi:application",
    ]
    wsgiapp.run()


def start(
    database: TestDatabase | None, options: Options | None = None, **kwargs
) -> Server:
    """Start a server with a configuration of its own."""
    folder = configuration.temporary_folder()
    return Server(configuration.write(folder, database, options), **kwargs)


def shared(
    name: str, options: Options | None = None, workers: int = 1
) -> Server:
    """Return the server that all tests with these options share."""
    key = (name, json.dumps(options or {}, sort_keys=True), workers)
    server = _shared.pop(key, None)
    if server is None:
        while len(_shared) >= _MAX_SHARED:
            _shared.pop(next(iter(_shared))).stop()
        server = start(configuration.migrated(name), options, workers=workers)
    _shared[key] = server
    return server


# How many servers wait for more tests; each takes memory and connections.
_MAX_SHARED = 4

# The one that was used last is the last.
_shared: dict[tuple[str, str, int], Server] = {}
