# SPDX-License-Identifier: Apache-2.0
"""A worker of the gateway with a stand-in broker."""

import asyncio
import json
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from unittest import IsolatedAsyncioTestCase

from websockets.asyncio.client import ClientConnection, connect

from console_api.gateway.brokers.base import Client, Credential, Grant
from console_api.gateway.worker import Worker
from console_api.tests.ports import free_ports
from console_api.tests.unit.base import load_conf
from console_api.tests.unit.gateway.base import (
    FakeBroker,
    FakeObserver,
    echo,
    grant,
)
from console_api.tests.waiting import TIMEOUT

if TYPE_CHECKING:
    from console_api.gateway.audit import Audit


class Broker(FakeBroker):
    """Exchanges tokens as it opens sessions, and reports nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.clients: list[Client] = []
        self.problem: str | None = None
        self.is_finished = False
        self.crash = asyncio.Event()

    async def exchange(self, credential: Credential, client: Client) -> Grant:
        return replace(await self.open(credential, client), secret="S")

    async def open(self, credential: Credential, client: Client) -> Grant:
        self.clients.append(client)
        return await super().open(credential, client)

    @property
    def trouble(self) -> str | None:
        return self.problem

    async def run(self) -> None:
        await self.crash.wait()
        raise RuntimeError("crash of a test")

    async def finish(self, timeout: float) -> None:  # noqa: ASYNC109
        self.is_finished = True


class FakeAudit(FakeObserver):
    """Records calls, and that it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.is_closed = False

    def close(self, timeout: float) -> None:
        self.is_closed = True


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        """The document in the body."""
        return json.loads(self.body)


class WorkerCase(IsolatedAsyncioTestCase):
    """Each test has a worker, which is started by ``start``."""

    async def asyncSetUp(self) -> None:
        asyncio.get_running_loop().set_debug(False)
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.broker, self.observer = Broker(), FakeAudit()
        self.port, self.monitoring_port = free_ports(2)
        self.tls: ssl.SSLContext | None = None

    async def start(self, **options: object) -> None:
        """Start the worker of the test.

        :param options: those of ``[gateway]``
        """
        defaults = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "monitoring_port": self.monitoring_port,
            "grace_time": 0,
        }
        self.worker = Worker(
            load_conf(self.folder, {"gateway": {**defaults, **options}}),
            self.broker,
            cast("Audit", self.observer),
            folder=self.folder,
        )
        ready = asyncio.Event()
        self.running = asyncio.create_task(self.worker.run(ready.set))
        self.addAsyncCleanup(self.stop)
        async with asyncio.timeout(TIMEOUT):
            await ready.wait()

    async def stop(self) -> None:
        """Let the worker drain and end."""
        self.worker.stop()
        async with asyncio.timeout(TIMEOUT):
            await asyncio.wait((self.running,))

    async def serve_display(self, **values: object) -> None:
        """Start a display that echoes, and grant it."""
        listening = await asyncio.start_server(echo, "127.0.0.1", 0)
        self.addCleanup(listening.close)
        port = listening.sockets[0].getsockname()[1]
        self.broker.grant = grant(port, **values)

    async def send(self, data: bytes, port: int | None = None) -> Answer:
        """Send bytes, and return the response to a single request."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port or self.port, ssl=self.tls
        )
        try:
            writer.write(data)
            async with asyncio.timeout(TIMEOUT):
                head = await reader.readuntil(b"\r\n\r\n")
                line, _, fields = head.partition(b"\r\n")
                headers = BytesParser().parsebytes(fields)
                length = int(headers["Content-Length"] or 0)
                is_head = data.startswith(b"HEAD ")
                body = await reader.readexactly(0 if is_head else length)
        finally:
            writer.close()
        return Answer(int(line.split()[1]), headers, body)

    async def get(
        self, path: str, port: int | None = None, **headers: str
    ) -> Answer:
        """Send a GET request.

        :param headers: by name, with ``_`` for ``-``
        """
        fields = _fields({"Host": f"127.0.0.1:{self.port}", **headers})
        return await self.send(
            f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode(), port
        )

    async def exchange(
        self, token: object = "T", body: bytes | None = None, **headers: str
    ) -> Answer:
        """Exchange a token as the page does.

        :param body: replaces the document
        :param headers: by name, with ``_`` for ``-``
        """
        content = body or json.dumps({"token": token}).encode()
        sent = {
            "Host": f"127.0.0.1:{self.port}",
            "Origin": f"http://127.0.0.1:{self.port}",
            "Content_Type": "application/json",
            "Content_Length": str(len(content)),
            **headers,
        }
        return await self.send(
            f"POST /exchange HTTP/1.1\r\n{_fields(sent)}\r\n".encode()
            + content
        )

    async def connect(
        self, path: str = "/?token=T", **options: Any
    ) -> ClientConnection:
        """Open a WebSocket with a client that is not ours."""
        scheme = "ws" if self.tls is None else "wss"
        if self.tls is not None:
            options["ssl"] = self.tls
        browser = await connect(
            f"{scheme}://127.0.0.1:{self.port}{path}", proxy=None, **options
        )
        self.addAsyncCleanup(browser.close)
        return browser

    async def closed(self, browser: ClientConnection) -> int | None:
        """Wait for the end; return the code."""
        async with asyncio.timeout(TIMEOUT):
            await browser.wait_closed()
        return browser.close_code


def _fields(headers: Mapping[str, str]) -> str:
    """Return the fields of the head of a request."""
    return "".join(
        f"{name.replace('_', '-')}: {value}\r\n"
        for name, value in headers.items()
    )
