# SPDX-License-Identifier: Apache-2.0
"""Connections of browsers and proxies, up to their requests."""

import asyncio
import contextlib
import functools
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

from console_api.gateway.brokers.base import Client
from console_api.gateway.proxy_protocol import ProxyProtocolError, read_header
from console_api.net.addresses import network, readable
from console_api.net.pending_handshakes import PendingHandshakes

if TYPE_CHECKING:
    from console_api.gateway.proxies import TrustedProxies

LOG = logging.getLogger(__name__)

# Connections that the kernel accepts before the gateway does.
_BACKLOG = 1024

# A longer line or field in the head of a request is refused, in bytes.
_MAX_FIELD_SIZE = 8190
_MAX_FIELDS = 100

# A connection that sends more before its next request is handled is closed:
# the body of a request, and the head of the next one, in bytes.
_MAX_UNHANDLED = 32 * 1024

#: Instead of the names and versions of aiohttp and Python.
SERVER = "console-api-gateway"

_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Connection(web.RequestHandler):
    """A connection of a browser or a proxy, until a WebSocket takes over."""

    __slots__ = ("_accepting", "_pending", "_unhandled", "peer")

    def __init__(
        self,
        peer: Client,
        pending: PendingHandshakes,
        accepting: "asyncio.Task[None]",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Prepare the connection.

        :param pending: all connections
        :param accepting: stood for this one until now
        """
        super().__init__(*args, **kwargs)
        #: The other end, or what a proxy says about it.
        self.peer = peer
        self._pending = pending
        self._accepting = accepting
        # Bytes that arrived since the last request was handled.
        self._unhandled = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Limit the number of connections."""
        self._pending.discard(self._accepting)
        super().connection_made(transport)
        self._pending.add(self, network(self.peer.address))

    def data_received(self, data: bytes) -> None:
        """Limit the size of a request, whether its head is complete or not."""
        self._unhandled += len(data)
        if self._unhandled > _MAX_UNHANDLED:
            self.force_close()
        else:
            super().data_received(data)

    def begin_request(self) -> None:
        """Note that the head of a request is complete."""
        self._unhandled = 0

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection, which may have become a WebSocket."""
        self._pending.discard(self)
        super().connection_lost(exc)

    def cancel(self) -> None:
        """Make room for another connection."""
        if self.transport is not None:
            self.transport.abort()

    def handle_error(self, *args: Any, **kwargs: Any) -> web.StreamResponse:
        """Return a response that does not quote the request."""
        status = super().handle_error(*args, **kwargs).status
        response = web.Response(status=status, headers={"Server": SERVER})
        response.force_close()
        return response

    def log_exception(self, *_args: Any, **_kwargs: Any) -> None:
        """Log nothing: what was received may contain a token."""

    def log_debug(self, *_args: Any, **_kwargs: Any) -> None:
        """Log nothing, for the same reason."""


class Listener:
    """Accepts connections, and has their requests answered."""

    def __init__(
        self,
        handler: _Handler,
        context: ssl.SSLContext | None,
        *,
        max_connections: int,
        timeout: int,
    ) -> None:
        """Prepare to listen.

        :param context: for TLS
        :param timeout: for the TLS handshake and for the head of a request,
            in seconds
        """
        self._context = context
        self._timeout = timeout
        self._server = web.Server(handler)
        self._pending = PendingHandshakes(max_connections)
        self._accepting: list[asyncio.Task[None]] = []
        # For connections that have not begun with a request yet.
        self._preludes: set[asyncio.Task[None]] = set()
        #: Those that use the PROXY protocol; None if it is not in use.
        self.proxies: TrustedProxies | None = None

    def start(self, sockets: Sequence[socket.socket]) -> None:
        """Accept connections.

        :param sockets: bound, not blocking; closed by ``stop``
        """
        for listening in sockets:
            listening.listen(_BACKLOG)
            self._accepting.append(
                asyncio.create_task(self._accept(listening))
            )

    def stop(self) -> None:
        """Accept no more connections; those that exist go on."""
        for task in self._accepting:
            task.cancel()

    async def close(self) -> None:
        """Close the connections that are not WebSockets."""
        for task in self._preludes:
            task.cancel()
        await self._server.shutdown(timeout=1)

    def __len__(self) -> int:
        """Return the number of connections that are not WebSockets."""
        return len(self._server.connections)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.closing(listening):
            while True:
                try:
                    accepted, address = await loop.sock_accept(listening)
                except OSError as error:
                    LOG.error(  # noqa: TRY400 (no more files can be opened)
                        "Cannot accept connections: %s", error.strerror
                    )
                    await asyncio.sleep(1)
                    continue
                accepted.setblocking(False)
                peer = Client(readable(address[0].partition("%")[0]))
                task = loop.create_task(self._begin(accepted, peer))
                self._preludes.add(task)
                task.add_done_callback(
                    functools.partial(self._end_prelude, accepted)
                )
                self._pending.add(task, network(peer.address))

    async def _begin(
        self,
        accepted: socket.socket,
        peer: Client,
    ) -> None:
        """Read the PROXY protocol, if the peer uses it, then start TLS."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        try:
            if self.proxies is not None and self.proxies.trust(peer.address):
                async with asyncio.timeout(self._timeout):
                    found = await _read(accepted)
                peer = Client(found, peer.address) if found else peer
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._connection(peer, task),
                accepted,
                **self._tls_arguments(),
            )
        except (ProxyProtocolError, EOFError, OSError, TimeoutError) as error:
            LOG.debug("Closed a connection of %s: %s", peer.address, error)
            accepted.close()
        finally:
            self._pending.discard(task)

    def _end_prelude(
        self, accepted: socket.socket, task: "asyncio.Task[None]"
    ) -> None:
        self._preludes.discard(task)
        if task.cancelled():
            # Perhaps before it ran at all.
            accepted.close()

    def _connection(
        self, peer: Client, accepting: "asyncio.Task[None]"
    ) -> Connection:
        return Connection(
            peer,
            self._pending,
            accepting,
            self._server,
            loop=asyncio.get_running_loop(),
            # Also the time limit for the head of each request.
            keepalive_timeout=self._timeout,
            access_log=None,
            max_line_size=_MAX_FIELD_SIZE,
            max_field_size=_MAX_FIELD_SIZE,
            max_headers=_MAX_FIELDS,
            lingering_time=self._timeout,
            # No request has a compressed body.
            auto_decompress=False,
        )

    def _tls_arguments(self) -> dict[str, Any]:
        if self._context is None:
            return {}
        return {
            "ssl": self._context,
            "ssl_handshake_timeout": self._timeout,
        }


async def _read(accepted: socket.socket) -> str | None:
    """Return the client's address in the PROXY protocol of a connection.

    Not a byte more is read than it has.

    :raises EOFError: the connection ends
    """
    loop = asyncio.get_running_loop()
    steps = read_header()
    needed = next(steps)
    while True:
        data = b""
        while len(data) < needed:
            more = await loop.sock_recv(accepted, needed - len(data))
            if not more:
                raise EOFError("The connection ended.")
            data += more
        try:
            needed = steps.send(data)
        except StopIteration as end:
            return cast("str | None", end.value)


def bind(
    addresses: Sequence[str], port: int, *, reuse_port: bool
) -> list[socket.socket]:
    """Return sockets for addresses and a port.

    ``::`` stands for all addresses of the machine, of IPv4 as well.

    :param reuse_port: whether other workers use the same port
    :raises OSError: an address cannot be used
    """
    bound: list[socket.socket] = []
    with contextlib.ExitStack() as stack:
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            listening = socket.socket(family, socket.SOCK_STREAM)
            stack.callback(listening.close)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if reuse_port:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(
                    socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address != "::"
                )
            listening.bind((address, port))
            listening.setblocking(False)
            bound.append(listening)
        stack.pop_all()
    return bound
