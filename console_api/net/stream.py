# SPDX-License-Identifier: Apache-2.0
"""One TCP connection: asked for its bytes at first, a pipe afterwards."""

import asyncio
import socket
import ssl
from typing import Self, cast

# How many bytes that nobody has asked for yet are kept before the sender has
# to wait: more than a handshake has, and little for a thousand connections.
_MOST_UNREAD = 16 * 1024

# Seconds that what was written has to get out before the connection is cut.
_CLOSE_TIMEOUT = 5

# When a peer that has vanished is noticed: seconds before the first probe,
# between two of them, and how many remain unanswered.
_KEEPALIVE = (
    (socket.SO_KEEPALIVE, socket.SOL_SOCKET, 1),
    (socket.TCP_KEEPIDLE, socket.IPPROTO_TCP, 60),
    (socket.TCP_KEEPINTVL, socket.IPPROTO_TCP, 20),
    (socket.TCP_KEEPCNT, socket.IPPROTO_TCP, 3),
)


class Stream(asyncio.Protocol):
    """A connection that is read in chunks, or piped into another one.

    As a pipe it is as slow as the slower end: what one end does not take is
    not read from the other.
    """

    _transport: asyncio.Transport

    def __init__(self) -> None:
        """Prepare; ``accept`` and ``connect`` make connected ones."""
        self._loop = asyncio.get_running_loop()
        self._unread = bytearray()
        self._peer: Stream | None = None
        self._news = asyncio.Event()
        self._is_over = False
        # Whether more is to be sent than should be kept.
        self._is_full = False
        #: Done when the connection has ended, whoever has ended it.
        self.over: asyncio.Future[None] = self._loop.create_future()
        #: When the last byte has come, in the time of the event loop.
        self.last_read_at = self._loop.time()

    @classmethod
    async def accept(cls, connected: socket.socket) -> Self:
        """Take over a socket that a listener has accepted."""
        loop = asyncio.get_running_loop()
        _, stream = await loop.connect_accepted_socket(cls, connected)
        return stream

    @classmethod
    async def connect(
        cls, host: str, port: int, tls: ssl.SSLContext | None = None
    ) -> Self:
        """Connect to a host, with TLS from the first byte on if asked to.

        :raises OSError: the host refuses, is not known or does not answer
        """
        loop = asyncio.get_running_loop()
        _, stream = await loop.create_connection(cls, host, port, ssl=tls)
        return stream

    async def start_tls(self, tls: ssl.SSLContext, host: str) -> None:
        """Go on inside TLS, as the client.

        :raises OSError: the other end cannot do so, or is not that host
        """
        if self._unread:
            # It would be taken for something that came through TLS.
            raise ConnectionAbortedError("It sends more before TLS begins.")
        transport = await self._loop.start_tls(
            self._transport, self, tls, server_hostname=host
        )
        if transport is None:
            raise ConnectionResetError("The connection ended.")
        self._transport = transport

    async def receive(self) -> bytes:
        """Return what has come, one byte at least; nothing at the end."""
        while not (self._unread or self._is_over):
            self._news.clear()
            await self._news.wait()
        data = bytes(self._unread)
        self._unread.clear()
        self.resume()
        return data

    def write(self, data: bytes) -> None:
        """Send bytes, now or as soon as possible."""
        if data and not self._is_over:
            self._transport.write(data)

    def pipe_into(self, peer: "Stream") -> None:
        """Send all that comes to another stream from now on."""
        self._peer = peer
        peer.write(bytes(self._unread))
        self._unread.clear()
        if peer._is_full:  # noqa: SLF001 (of the same class)
            # It may have become so when there was nobody to wait.
            self.pause()
        else:
            self.resume()

    def pause(self) -> None:
        """Read nothing more until ``resume``."""
        self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        self._transport.resume_reading()

    def close(self) -> None:
        """End the connection when what was written has been sent."""
        if not self._transport.is_closing():
            self._transport.close()
        # Also if the other end has hung up, and takes nothing any more.
        self._loop.call_later(_CLOSE_TIMEOUT, self._transport.abort)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        connected = transport.get_extra_info("socket")
        for option, level, value in _KEEPALIVE:
            connected.setsockopt(level, option, value)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on, or keep them until somebody asks."""
        self.last_read_at = self._loop.time()
        if self._peer is not None:
            self._peer.write(data)
            return
        self._unread += data
        if len(self._unread) >= _MOST_UNREAD:
            self.pause()
        self._news.set()

    def eof_received(self) -> None:
        """End the connection: nobody's VNC goes on in one direction."""
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        del exc
        self._end()

    def pause_writing(self) -> None:
        """Let the other end of the pipe wait."""
        self._is_full = True
        if self._peer is not None:
            self._peer.pause()

    def resume_writing(self) -> None:
        """Let the other end of the pipe go on."""
        self._is_full = False
        if self._peer is not None:
            self._peer.resume()

    def _end(self) -> None:
        self._is_over = True
        self._news.set()
        if not self.over.done():
            self.over.set_result(None)
