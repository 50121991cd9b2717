# SPDX-License-Identifier: Apache-2.0
"""A gateway with real sockets, a stand-in broker and displays of tests."""

import asyncio
import contextlib
import struct
import tempfile
import unittest
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect

from console_api.gateway.brokers.base import (
    Broker,
    Client,
    Credential,
    Grant,
    OpenSession,
    Refused,
)
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.connections import Connections
from console_api.gateway.displays import Displays
from console_api.gateway.services import Services, Settings
from console_api.gateway.session import Session
from console_api.gateway.spice_channels import SpiceSessions
from console_api.gateway.spice_workers import SpiceWorkers
from console_api.gateway.upgrades import take_over
from console_api.tests.unit.base import load_conf
from console_api.tests.unit.gateway import recorded
from console_api.tests.waiting import TIMEOUT

CLIENT = Client("192.0.2.1")

Display = Callable[
    [asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]
]


def grant(port: int, **values: object) -> Grant:
    """Return a grant for a serial console on the loopback address."""
    serial = replace(
        recorded.GRANT,
        console_type="serial",
        host="127.0.0.1",
        port=port,
        secret="",
    )
    return replace(serial, **values)  # type: ignore[arg-type]


class FakeBroker(Broker):
    """Grants what a test wants, and records what it is told."""

    def __init__(self) -> None:
        self.grant: Grant | None = None
        self.refusal: Exception | None = None
        self.credentials: list[Credential] = []
        self.open_sessions: list[OpenSession] = []
        self.reasons: list[CloseReason] = []
        self.abandoned_reasons: list[CloseReason] = []

    async def exchange(self, credential: Credential, client: Client) -> Grant:
        raise NotImplementedError

    async def open(self, credential: Credential, client: Client) -> Grant:
        self.credentials.append(credential)
        if self.refusal is not None:
            raise self.refusal
        if self.grant is None:
            raise Refused(CloseReason.INVALID_TOKEN, "Unknown.")
        return self.grant

    def opened(self, session: OpenSession) -> None:
        self.open_sessions.append(session)

    def closed(self, session: OpenSession, reason: CloseReason) -> None:
        self.open_sessions.remove(session)
        self.reasons.append(reason)

    def abandoned(self, grant: Grant, reason: CloseReason) -> None:
        self.abandoned_reasons.append(reason)

    @property
    def sessions(self) -> Sequence[OpenSession]:
        return self.open_sessions

    @property
    def trouble(self) -> str | None:
        return None

    async def run(self) -> None:
        raise NotImplementedError

    async def finish(self, timeout: float) -> None:  # noqa: ASYNC109
        raise NotImplementedError


class FakeObserver:
    """Records calls."""

    def __init__(self) -> None:
        self.events: list[tuple[str, CloseReason | None]] = []

    def opened(self, session: Session, dial_seconds: float) -> None:
        self.events.append(("opened", None))

    def refused(
        self, client: Client, refusal: Refused, grant: Grant | None
    ) -> None:
        self.events.append(("refused", refusal.reason))

    def closed(self, session: Session, reason: CloseReason) -> None:
        self.events.append(("closed", reason))


class GatewayCase(unittest.IsolatedAsyncioTestCase):
    """Serves WebSockets, by aiohttp, that lead to a display of the test."""

    settings = Settings()
    scheme = "ws"

    async def asyncSetUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.broker, self.observer = FakeBroker(), FakeObserver()
        spice = SpiceSessions()
        self.services = Services(
            self.broker,
            Displays.from_conf(load_conf(self.folder)),
            [self.observer],
            spice,
            SpiceWorkers(spice, self.folder, "1"),
            self.settings,
        )
        self.connections = Connections(self.services)
        self.is_spice = False
        self.server = web.Server(self._serve, access_log=None)
        listening = await asyncio.get_running_loop().create_server(
            self.server, "127.0.0.1", 0
        )
        self._displays: set[asyncio.Task[None]] = set()
        self.addAsyncCleanup(self._wait_for_displays)
        self.addAsyncCleanup(self.connections.drain, 0)
        self.addCleanup(listening.close)
        self.port = listening.sockets[0].getsockname()[1]

    async def _serve(self, request: web.BaseRequest) -> web.Response:
        token = request.query.get("token")
        credential = None if token is None else Credential(token=token)
        upgrade = take_over(
            request, credential, CLIENT, is_spice=self.is_spice
        )
        await self.connections.serve(upgrade)
        return web.Response(status=101)

    async def serve_display(self, display: Display, **values: object) -> None:
        """Start a display, and grant it."""

        async def serve(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._displays.add(task)
            with contextlib.suppress(ConnectionError, EOFError):
                await display(reader, writer)
            writer.close()

        listening = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.addCleanup(listening.close)
        port = listening.sockets[0].getsockname()[1]
        self.broker.grant = grant(port, **values)

    async def open(
        self, token: str = "T", **options: object
    ) -> ClientConnection:
        """Open a WebSocket with a client that is not ours."""
        browser = await connect(
            f"{self.scheme}://127.0.0.1:{self.port}/?token={token}",
            proxy=None,
            max_size=None,
            **options,  # type: ignore[arg-type]
        )
        self.addAsyncCleanup(browser.close)
        return browser

    async def open_raw(
        self, head: str = ""
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a WebSocket with a client that can do anything."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.addCleanup(writer.close)
        writer.write(
            (
                "GET /?token=T HTTP/1.1\r\nHost: gateway\r\n"
                "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
                f"Sec-WebSocket-Version: 13\r\n{head}\r\n"
            ).encode()
        )
        return reader, writer

    async def _wait_for_displays(self) -> None:
        async with asyncio.timeout(TIMEOUT):
            await asyncio.gather(*self._displays)

    async def closed(self, browser: ClientConnection) -> tuple[int, str]:
        """Wait for the end; return the code and the reason."""
        async with asyncio.timeout(TIMEOUT):
            await browser.wait_closed()
        return browser.close_code or 0, browser.close_reason or ""


def frame(data: bytes, opcode: int = 2, *, fin: bool = True) -> bytes:
    """Return a frame of a browser, masked with zeros."""
    first = opcode | (0x80 if fin else 0)
    size = len(data)
    if size < 126:
        head = struct.pack(">BB", first, 0x80 | size)
    elif size < 1 << 16:
        head = struct.pack(">BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack(">BBQ", first, 0x80 | 127, size)
    return head + bytes(4) + data


async def echo(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Send back what arrives."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
