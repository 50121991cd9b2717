# SPDX-License-Identifier: Apache-2.0
"""A VNC server that offers what a test wants."""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from console_api.rfb.handshake import NONE, VENCRYPT, VNC
from console_api.tests.certificates import Authority
from console_api.tests.unit.rfb.base import CHALLENGE, OK, V8

X509_NONE, X509_VNC, X509_PLAIN = 260, 261, 262

_CERTIFIED = (X509_NONE, X509_VNC, X509_PLAIN)


@dataclass
class FakeDisplay:
    """What a display offers, and what its clients have chosen and sent."""

    types: Sequence[int] = (NONE,)
    subtypes: Sequence[int] = ()
    authority: Authority | None = None
    #: Whether TLS starts with the first byte.
    is_tls: bool = False
    port: int = 0
    #: Security types and subtypes in the order in which they were chosen.
    chosen: list[int] = field(default_factory=list)
    #: Responses to challenges, and user names with passwords.
    credentials: list[bytes] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator["FakeDisplay"]:
        """Serve connections, with RFB 3.8, until the context ends."""
        context = self._context() if self.is_tls else None
        server = await asyncio.start_server(
            self._converse, "127.0.0.1", 0, ssl=context
        )
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            yield self

    def _context(self) -> ssl.SSLContext:
        if self.authority is None:
            raise ValueError("TLS needs a certificate.")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(
            self.authority.certificate_file, self.authority.key_file
        )
        return context

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            writer.write(V8)
            await reader.readexactly(len(V8))
            writer.write(bytes([len(self.types), *self.types]))
            chosen = await self._read_choice(reader, ">B")
            if chosen == VENCRYPT:
                chosen = await self._negotiate_subtype(reader, writer)
            await self._authenticate(chosen, reader, writer)
            writer.write(OK)
            await reader.read()
        writer.close()

    async def _negotiate_subtype(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> int:
        writer.write(b"\0\2")
        await reader.readexactly(2)
        count = len(self.subtypes)
        writer.write(struct.pack(f">BB{count}I", 0, count, *self.subtypes))
        chosen = await self._read_choice(reader, ">I")
        if chosen in _CERTIFIED:
            writer.write(b"\1")
            await writer.start_tls(self._context())
        return chosen

    async def _read_choice(
        self, reader: asyncio.StreamReader, layout: str
    ) -> int:
        data = await reader.readexactly(struct.calcsize(layout))
        chosen = int.from_bytes(data)
        self.chosen.append(chosen)
        return chosen

    async def _authenticate(
        self,
        chosen: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        if chosen in (VNC, X509_VNC):
            writer.write(CHALLENGE)
            self.credentials.append(await reader.readexactly(len(CHALLENGE)))
        elif chosen == X509_PLAIN:
            lengths = struct.unpack(">II", await reader.readexactly(8))
            self.credentials.append(await reader.readexactly(sum(lengths)))
