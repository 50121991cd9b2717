# SPDX-License-Identifier: Apache-2.0
"""A TCP connection: read in chunks during handshakes, then part of a pipe."""

import asyncio
import socket
import ssl
from asyncio import sslproto
from typing import Self, cast

from console_api.net.addresses import is_numeric
from console_api.net.pipe import PipeEnd
from console_api.rfb.handshake import Handshake, State

# How many bytes are buffered before reading pauses: more than a handshake
# has, and little for a thousand connections.
_MAX_UNREAD = 16 * 1024

# asyncio allocates a buffer of this size, in bytes, for each connection with
# TLS.  Its default of 256 KiB is most of the memory of an idle session and not
# faster: a record of TLS has at most 16 KiB.
sslproto.SSLProtocol.max_size = 32 * 1024

# Seconds to send what was written before a closed connection is aborted.
_CLOSE_TIMEOUT = 5

# Seconds before the next address of a host is tried as well; the value that
# RFC 8305, section 8, recommends.
_ADDRESS_DELAY = 0.25

# How soon a vanished peer is detected: seconds before the first probe and
# between probes, and the number of unanswered probes.
_KEEPALIVE = (
    (socket.SO_KEEPALIVE, socket.SOL_SOCKET, 1),
    (socket.TCP_KEEPIDLE, socket.IPPROTO_TCP, 60),
    (socket.TCP_KEEPINTVL, socket.IPPROTO_TCP, 20),
    (socket.TCP_KEEPCNT, socket.IPPROTO_TCP, 3),
)


class Stream(asyncio.Protocol):
    """A connection that is read in chunks, or is one end of a pipe.

    A pipe is as slow as its slower end: an end reads no more than the other
    one can send.
    """

    _transport: asyncio.Transport

    def __init__(self) -> None:
        """Prepare; use ``accept`` or ``connect`` for a connected stream."""
        self._loop = asyncio.get_running_loop()
        self._unread = bytearray()
        self._peer: PipeEnd | None = None
        self._changed = asyncio.Event()
        # Whether the other end of the pipe has paused this one.
        self._is_paused = False
        # Whether there is more to send than should be buffered.
        self._is_full = False
        #: Done once the connection has ended, whichever end closed it.
        self.over: asyncio.Future[None] = self._loop.create_future()
        #: How many bytes were received, and how many are sent or to be sent.
        self.bytes_received = 0
        self.bytes_sent = 0
        #: When the last bytes were received, in the event loop's time.
        self.last_read_at = self._loop.time()

    @classmethod
    async def accept(cls, connected: socket.socket) -> Self:
        """Take over a socket that a listener has accepted."""
        loop = asyncio.get_running_loop()
        _, stream = await loop.connect_accepted_socket(cls, connected)
        return stream

    @classmethod
    async def connect(
        cls,
        host: str,
        port: int,
        tls: ssl.SSLContext | None = None,
        tls_name: str | None = None,
    ) -> Self:
        """Connect to a host.

        :param tls: use TLS from the first byte
        :param tls_name: the name that the certificate has to contain, by
            default the host
        :raises OSError: the host is unknown, refuses or does not answer
        :raises ValueError: the host is not a valid name
        """
        loop = asyncio.get_running_loop()
        _, stream = await loop.create_connection(
            cls,
            host,
            port,
            ssl=tls,
            server_hostname=tls_name,
            # Several addresses of one host are tried one after another, and
            # IPv6 and IPv4 in turn: RFC 8305.  A race of one takes longer.
            happy_eyeballs_delay=(
                None if is_numeric(host) else _ADDRESS_DELAY
            ),
            interleave=1,
        )
        return stream

    async def start_tls(self, tls: ssl.SSLContext, host: str) -> None:
        """Start TLS as the client.

        :param host: the name that the certificate has to contain
        :raises OSError: the other end does not support TLS, or its
            certificate cannot be verified
        """
        self._require_nothing_unread()
        self._replace_transport(
            await self._loop.start_tls(
                self._transport, self, tls, server_hostname=host
            )
        )

    async def accept_tls(
        self,
        tls: ssl.SSLContext,
        timeout: float,  # noqa: ASYNC109 - passed on
    ) -> None:
        """Start TLS as the server.

        :param timeout: in seconds, for the TLS handshake
        :raises OSError: the other end does not support TLS, or does not
            accept the certificate
        """
        self._require_nothing_unread()
        self._replace_transport(
            await self._loop.start_tls(
                self._transport,
                self,
                tls,
                server_side=True,
                ssl_handshake_timeout=timeout,
            )
        )

    async def perform(self, handshake: Handshake) -> None:
        """Exchange bytes until a handshake needs something else.

        Bytes received after it stay in the stream.

        :raises HandshakeError: the handshake failed
        :raises OSError: the other end closed the connection
        """
        self.write(handshake.data_to_send())
        while handshake.state is State.RECEIVE:
            data = await self.receive()
            if not data:
                raise ConnectionResetError("closed by the other end")
            try:
                handshake.receive(data)
            finally:
                self.write(handshake.data_to_send())
        self._buffer(handshake.take_trailing())

    async def read_exactly(self, count: int) -> bytes:
        """Wait for a number of bytes; leave those behind them.

        :raises ConnectionResetError: the other end closed the connection
        """
        while len(self._unread) < count:
            if self.over.done():
                raise ConnectionResetError("closed by the other end")
            self._transport.resume_reading()
            self._changed.clear()
            await self._changed.wait()
        data = bytes(self._unread[:count])
        del self._unread[:count]
        return data

    async def receive(self) -> bytes:
        """Wait for at least one byte; return no bytes at the end."""
        while not (self._unread or self.over.done()):
            self._changed.clear()
            await self._changed.wait()
        data = self._take_unread()
        self._transport.resume_reading()
        return data

    def write(self, data: bytes) -> None:
        """Send bytes, now or as soon as possible."""
        if data and not self.over.done():
            self.bytes_sent += len(data)
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until most of what was written has been sent, or the end."""
        while self._is_full and not self.over.done():
            self._changed.clear()
            await self._changed.wait()

    def pipe_into(self, peer: PipeEnd) -> None:
        """Write everything received, from now on, to the other end."""
        self._peer = peer
        peer.write(self._take_unread())
        if not self._is_paused:
            self._transport.resume_reading()
        if self._is_full:
            # It became so before there was a peer to pause.
            peer.pause()

    def detach(self) -> tuple[asyncio.Transport, bytes]:
        """Give the transport away, to be read by another protocol.

        :returns: the transport, which is paused, and what was read already
        :raises ConnectionResetError: the other end closed the connection
        """
        if self.over.done():
            raise ConnectionResetError("closed by the other end")
        self._transport.pause_reading()
        return self._transport, self._take_unread()

    def pause(self) -> None:
        """Stop reading until ``resume``."""
        self._is_paused = True
        self._transport.pause_reading()

    def resume(self) -> None:
        """Continue reading."""
        self._is_paused = False
        self._transport.resume_reading()

    def close(self) -> None:
        """Close the connection once everything written has been sent."""
        if not self._transport.is_closing():
            self._transport.close()
        # The other end may have stopped reading.
        self._loop.call_later(_CLOSE_TIMEOUT, self._transport.abort)

    # Callbacks of the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport and enable TCP keepalive."""
        self._transport = cast("asyncio.Transport", transport)
        connected = transport.get_extra_info("socket")
        for option, level, value in _KEEPALIVE:
            connected.setsockopt(level, option, value)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on, or buffer them until ``receive``."""
        self.last_read_at = self._loop.time()
        self.bytes_received += len(data)
        if self._peer is not None:
            self._peer.write(data)
            return
        self._buffer(data)

    def eof_received(self) -> None:
        """Close the connection: VNC never continues in one direction."""
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Record the end."""
        del exc
        self._end()

    def pause_writing(self) -> None:
        """Pause the other end of the pipe."""
        self._is_full = True
        if self._peer is not None:
            self._peer.pause()

    def resume_writing(self) -> None:
        """Resume the other end of the pipe."""
        self._is_full = False
        self._changed.set()
        if self._peer is not None:
            self._peer.resume()

    def _require_nothing_unread(self) -> None:
        if self._unread:
            # It would be taken for data received through TLS.
            raise ConnectionAbortedError(
                "data was received before TLS started"
            )

    def _replace_transport(self, transport: asyncio.Transport | None) -> None:
        if transport is None:
            raise ConnectionResetError("closed before TLS started")
        self._transport = transport

    def _buffer(self, data: bytes) -> None:
        self._unread += data
        if len(self._unread) >= _MAX_UNREAD:
            self._transport.pause_reading()
        self._changed.set()

    def _take_unread(self) -> bytes:
        data = bytes(self._unread)
        self._unread.clear()
        return data

    def _end(self) -> None:
        self._changed.set()
        if not self.over.done():
            self.over.set_result(None)
