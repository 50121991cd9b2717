# SPDX-License-Identifier: Apache-2.0
"""``console-api-gateway`` as a process beside a real API, for tests."""

import atexit
import base64
import http.client
import json
import os
import signal
import ssl
import sys
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any, ClassVar

from console_api import conf
from console_api.cmd import gateway
from console_api.tests.functional import base, configuration, processes
from console_api.tests.functional.configuration import Options
from console_api.tests.functional.servers import Server
from console_api.tests.functional.websocket_client import (
    WebSocketStream,
    WebSocketViewer,
)
from console_api.tests.ports import free_range
from console_api.tests.waiting import TIMEOUT, wait_until


class NotReady(Exception):
    """The gateway exited instead of starting; contains its log."""


@dataclass(frozen=True)
class Answer:
    """A response of the gateway."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        """The document in the body."""
        return json.loads(self.body)


class Gateway:
    """A running gateway.

    Its monitoring ports follow its port.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        workers: int = 1,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Start the gateway and wait until all its workers are ready.

        :param folder: the directory with its configuration
        :param tls: for connections to it, if it uses TLS
        :raises NotReady: it exited
        """
        self.folder = folder
        self.port = port
        self.workers = workers
        self._tls = tls
        self._log = folder / "gateway.log"
        with self._log.open("a") as log:
            self.process = processes.Program(
                _main,
                [str(folder)],
                {**os.environ, conf.ENVIRONMENT: str(folder)},
                log.fileno(),
            )
        self.pid = self.process.pid
        atexit.register(self.kill)
        wait_until(lambda: self.process.poll() is not None or self.is_ready())
        if self.process.poll() is not None:
            atexit.unregister(self.kill)
            raise NotReady(self.log)

    @property
    def log(self) -> str:
        """Everything logged until now."""
        return self._log.read_text(errors="replace")

    @property
    def url(self) -> str:
        """The URL of its pages, without a slash at the end."""
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        """Return whether all workers can open sessions."""
        return all(
            self.monitor("/ready", worker) == 200
            for worker in range(self.workers)
        )

    def monitor(self, path: str, worker: int = 0) -> int | None:
        """Return the status of a path for monitoring, None if refused."""
        try:
            return self.monitoring(path, worker).status
        except OSError:
            return None

    def monitoring(self, path: str, worker: int = 0) -> Answer:
        """Request a path for monitoring."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port + 1 + worker, timeout=TIMEOUT
        )
        return _request(connection, "GET", path)

    def request(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> Answer:
        """Send a request.

        :param body: sent as a JSON document
        :param headers: by name, with ``_`` for ``-``
        """
        connection: http.client.HTTPConnection
        if self._tls is None:
            connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=TIMEOUT
            )
        else:
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=TIMEOUT, context=self._tls
            )
        sent = {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        return _request(connection, method, path, content, sent)

    def exchange(self, token: str, **headers: str) -> Answer:
        """Exchange a token as the page does."""
        return self.request("POST", "/exchange", {"token": token}, **headers)

    def connect(self, path: str, **options: Any) -> WebSocketStream:
        """Open a WebSocket.

        :param options: those of ``WebSocketStream``
        """
        return WebSocketStream(
            self._websocket_url(path), **self._tls_options, **options
        )

    def viewer(self, path: str, **options: Any) -> WebSocketViewer:
        """Open a WebSocket for VNC, without sending anything.

        :param options: those of ``WebSocketStream``
        """
        return WebSocketViewer(
            self._websocket_url(path), **self._tls_options, **options
        )

    def reload(self) -> None:
        """Send SIGHUP."""
        self.process.send_signal(signal.SIGHUP)

    def stop(self) -> int:
        """Send SIGTERM; return the exit status."""
        self.process.terminate()
        try:
            return self.process.wait(TIMEOUT)
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill the gateway, as a crash would."""
        atexit.unregister(self.kill)
        self.process.kill()
        self.process.wait()

    def _websocket_url(self, path: str) -> str:
        return self.url.replace("http", "ws", 1) + path

    @property
    def _tls_options(self) -> dict[str, Any]:
        return {} if self._tls is None else {"context": self._tls}


def _request(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def _main(folder: str) -> None:
    """Run the gateway as from a command line."""
    sys.argv = ["console-api-gateway", "--config-dir", folder]
    gateway.main()


def start(
    server: Server,
    options: Options | None = None,
    *,
    workers: int = 1,
    tls: ssl.SSLContext | None = None,
) -> Gateway:
    """Start a gateway beside an API.

    :param options: options by group, which override the common ones
    """
    port = int(free_range(workers + 1).partition("-")[0])
    groups: dict[str, dict[str, str]] = {
        "gateway": {
            "name": f"gateway-{port}",
            "listen_addresses": "127.0.0.1,::1",
            "port": str(port),
            "monitoring_port": str(port + 1),
            "workers": str(workers),
            "grace_time": "1",
        },
        "gateway_api": {
            "auth_type": "admin_token",
            "endpoint": f"{server.url}/v2.1",
            "token": "admin:service",
        },
    }
    for group, values in (options or {}).items():
        groups.setdefault(group, {}).update(values)
    folder = configuration.write(
        configuration.temporary_folder(), None, groups
    )
    return Gateway(folder, port=port, workers=workers, tls=tls)


def subprotocols(secret: str) -> list[str]:
    """Return what the page offers, over plain HTTP, to show its secret."""
    encoded = base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")
    return ["binary", f"console.{encoded}"]


class GatewayTestCase(base.FunctionalTestCase):
    """Tests of a gateway; each has one of its own beside the API."""

    #: Options of the gateway, in addition to the defaults of tests.
    gateway_options: ClassVar[Options] = {}

    #: Number of worker processes of the gateway.
    gateway_workers: ClassVar[int] = 1

    def setUp(self) -> None:
        super().setUp()
        self.gateway = self.start_gateway()

    def start_gateway(self, options: Options | None = None) -> Gateway:
        """Start a gateway that is killed after the test."""
        started = start(
            self.server,
            self.gateway_options if options is None else options,
            workers=self.gateway_workers,
        )
        self.addCleanup(started.kill)
        return started

    def token_for(
        self, port: int, protocol: str = "vnc", console_type: str = "novnc"
    ) -> str:
        """Issue a token for a new server with a display on a local port."""
        server_id = self.make_server(
            endpoints={protocol: {"host": "127.0.0.1", "port": port}}
        )
        return self.issue_token(server_id, protocol, console_type)

    def eventually_logged(self, text: str) -> None:
        """Wait until the log of the gateway contains a text."""
        self.eventually(lambda: text in self.gateway.log)

    def assert_not_logged(self, *secrets: str) -> None:
        """Assert that none of these is in a log."""
        super().assert_not_logged(*secrets)
        for secret in secrets:
            self.assertNotIn(secret, self.gateway.log)
