# SPDX-License-Identifier: Apache-2.0
"""Real servers for tests: Gunicorn on a port of its own."""

import atexit
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from gunicorn.app import wsgiapp

from console_api import conf
from console_api.tests.functional import (
    client,
    configuration,
    gunicorn_settings,
    processes,
)
from console_api.tests.functional.configuration import Options
from console_api.tests.functional.databases import TestDatabase

# Maximum seconds until a server responds, and until it exits.
START_TIMEOUT = 60
STOP_TIMEOUT = 20


class NotStarted(Exception):
    """The server exited instead of responding; the message is its log."""


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
        """Start the server and wait until it responds.

        :param folder: the configuration
        :param address: where to listen; ``::`` includes IPv4
        :raises NotStarted: it exited
        """
        self.folder = folder
        self._log = folder / "server.log"
        # Listening before the server starts: no other program can take the
        # port, and no connection is refused during start-up.
        listener = socket.create_server(
            (address, 0),
            family=socket.AF_INET6 if ":" in address else socket.AF_INET,
            backlog=128,
            dualstack_ipv6=address == "::",
        )
        with listener, self._log.open("wb") as log:
            self.port = listener.getsockname()[1]
            self._process = processes.Program(
                _serve,
                [
                    processes.Descriptor(listener.fileno()),
                    *("--workers", str(workers), "--threads", str(threads)),
                ],
                {**os.environ, conf.ENVIRONMENT: str(folder)},
                log.fileno(),
            )
        atexit.register(self.stop)
        self._wait_for_answer()

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Everything that the server has logged so far."""
        return self._log.read_text(errors="replace")

    def client(self, **kwargs) -> client.Client:
        """Return a client of this server."""
        return client.Client(self, **kwargs)

    def stop(self) -> None:
        """Terminate the server and wait until it has exited."""
        atexit.unregister(self.stop)
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def _wait_for_answer(self) -> None:
        # The connection waits in the backlog of the socket.  If the server
        # exits, no process has the socket any more, and it is reset.
        try:
            client.Client(self, prefix="", timeout=START_TIMEOUT).get("/")
        except OSError as error:
            self.stop()
            raise NotStarted(self.log) from error


def _serve(listener: int, *arguments: str) -> None:
    """Run Gunicorn, as its command does."""
    sys.argv = [
        "gunicorn",
        "--no-control-socket",
        *("--config", f"python:{gunicorn_settings.__name__}"),
        *("--bind", f"fd://{listener}"),
        # The default is shorter than the requests of the tests.
        *("--limit-request-line", "0"),
        *("--graceful-timeout", "5"),
        *arguments,
        "console_api.wsgi:application",
    ]
    wsgiapp.run()


def start(
    database: TestDatabase | None, options: Options | None = None, **kwargs
) -> Server:
    """Start a server with a new configuration."""
    folder = configuration.temporary_folder()
    return Server(configuration.write(folder, database, options), **kwargs)


def shared(
    name: str, options: Options | None = None, workers: int = 1
) -> Server:
    """Return the server that all tests with these options share.

    :param name: the database
    """
    key = (name, json.dumps(options or {}, sort_keys=True), workers)
    server = _shared.pop(key, None)
    if server is None:
        while len(_shared) >= _MAX_SHARED:
            _shared.pop(next(iter(_shared))).stop()
        server = start(configuration.migrated(name), options, workers=workers)
    _shared[key] = server
    return server


# Each of them takes memory and connections.
_MAX_SHARED = 4

# In the order of their last use.
_shared: dict[tuple[str, str, int], Server] = {}
