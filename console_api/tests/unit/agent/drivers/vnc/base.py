# SPDX-License-Identifier: Apache-2.0
"""Base class of tests of a console with real sockets."""

import asyncio
import socket
import ssl
import unittest
from typing import Self

from console_api.agent.drivers.base import Console
from console_api.agent.drivers.vnc.displays import Display
from console_api.agent.drivers.vnc.listener import Listener
from console_api.agent.drivers.vnc.log_limit import LogLimit
from console_api.agent.drivers.vnc.security import Security
from console_api.agent.drivers.vnc.session import Limits
from console_api.net.failed_attempts import AttemptHistory, AttemptLimits
from console_api.net.pending_handshakes import PendingHandshakes
from console_api.net.stream import Stream
from console_api.rfb import auth
from console_api.tests.waiting import TIMEOUT

PASSWORD = "pAsSw0rd"
CONSOLE = Console(12, "server-1", "instance", "compute-1", 1, PASSWORD)

OK = 0
FAILED = 1


class Viewer:
    """The viewer's end of a connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.send = writer.write
        self.close = writer.close

    @classmethod
    async def connect(cls, port: int, address: str = "127.0.0.1") -> Self:
        """Connect from a loopback address without sending anything."""
        return cls(
            *await asyncio.open_connection(
                "127.0.0.1", port, local_addr=(address, 0)
            )
        )

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Start TLS."""
        await self._writer.start_tls(context, server_hostname="127.0.0.1")

    @property
    def has_ticket(self) -> bool:
        """Whether the agent has sent a session ticket of TLS."""
        session = self._writer.get_extra_info("ssl_object").session
        return session is not None and bool(session.has_ticket)

    async def receive(self, count: int) -> bytes:
        """Wait for a number of bytes."""
        async with asyncio.timeout(TIMEOUT):
            return await self._reader.readexactly(count)

    async def receive_rest(self) -> bytes:
        """Wait for the end of the connection."""
        async with asyncio.timeout(TIMEOUT):
            return await self._reader.read()

    async def ask_for_challenge(self) -> bytes:
        """Perform the handshake up to the challenge, and return that."""
        self.send(b"RFB 003.008\n\2")
        return (await self.receive(12 + 2 + auth.CHALLENGE_LENGTH))[14:]

    async def authenticate(self, password: str = PASSWORD) -> int:
        """Authenticate; return the SecurityResult."""
        challenge = await self.ask_for_challenge()
        self.send(auth.respond(password, challenge))
        return int.from_bytes(await self.receive(4))

    async def reason(self) -> str:
        """Return the reason that follows a failure."""
        length = int.from_bytes(await self.receive(4))
        return (await self.receive(length)).decode()


class ConsoleCase(unittest.IsolatedAsyncioTestCase):
    """Has a console, and a display that records what it receives."""

    limits = Limits(
        handshake_timeout=60,
        password_timeout=60,
        idle_timeout=60,
        max_sessions=10,
    )

    security = Security()

    async def asyncSetUp(self) -> None:
        self.displays: list[socket.socket] = []
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        self.port = listening.getsockname()[1]
        self.listener = Listener(
            CONSOLE,
            listening,
            security=self.security,
            history=AttemptHistory(AttemptLimits(10, 60)),
            open_display=self.open_display,
            limits=self.limits,
            pending=PendingHandshakes(2000),
            accept_log=LogLimit(60),
        )

    async def asyncTearDown(self) -> None:
        self.listener.close("the test ended")
        await self.listener.wait_closed()
        for display in self.displays:
            display.close()

    async def open_display(self, server_id: str) -> Display:
        """Connect to a display; its end becomes the last of ``displays``."""
        self.assertEqual(CONSOLE.server_id, server_id)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            end = socket.create_connection(listening.getsockname())
            display, _ = listening.accept()
        display.setblocking(False)
        self.displays.append(display)
        stream = await Stream.accept(end)
        return Display(stream, "compute-1", "127.0.0.1:5900")

    async def connect(self, address: str = "127.0.0.1") -> Viewer:
        """Connect a viewer that closes when the test ends."""
        viewer = await Viewer.connect(self.port, address)
        self.addCleanup(viewer.close)
        return viewer
