# SPDX-License-Identifier: Apache-2.0
"""Connections of browsers and proxies, up to their requests."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from aiohttp import web

from console_api.gateway.brokers.base import Client
from console_api.gateway.proxies import TrustedProxies
from console_api.gateway.proxy_protocol import ProxyProtocolError, read_header
from console_api.net.addresses import network, readable
from console_api.net.pending_handshakes import PendingHandshakes

LOG = logging.getLogger(__name__)

# Connections that the kernel accepts before the gateway does.
_BACKLOG = 1024

# A longer line or field in the head of a request is refused, in bytes.
_MAX_FIELD_SIZE = 8190
_MAX_FIELDS = 100

_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Connection(web.RequestHandler):
    """A connection of a browser or a proxy, until a WebSocket takes over."""

    __slots__ = ("_pending", "peer")

    def __init__(
        self,
        pending: PendingHandshakes,
        peer: Client | None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Prepare the connection.

        :param peer: what the PROXY protocol said, if it is in use
        """
        super().__init__(*args, **kwargs)
        self._pending = pending
        #: The other end, or what a proxy says about it.
        self.peer = peer or Client("")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Limit the number of connections."""
        address = transport.get_extra_info("peername")
        if address is not None and not self.peer.address:
            self.peer = Client(readable(address[0].partition("%")[0]))
        super().connection_made(transport)
        if self.peer.address:
            self._pending.add(self, network(self.peer.address))
        else:  # It is closed already.
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection, which may have become a WebSocket."""
        self._pending.discard(self)
        super().connection_lost(exc)

    def cancel(self) -> None:
        """Make room for another connection."""
        if self.transport is not None:
            self.transport.abort()

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
        self._servers: list[asyncio.Server] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._preludes: set[asyncio.Task[None]] = set()

    async def start(
        self, sockets: Sequence[socket.socket], proxies: TrustedProxies | None
    ) -> None:
        """Accept connections.

        :param proxies: those that use the PROXY protocol; None if it is not
            in use
        """
        loop = asyncio.get_running_loop()
        for listening in sockets:
            if proxies is not None:
                listening.listen(_BACKLOG)
                self._accepting.append(
                    loop.create_task(self._accept(listening, proxies))
                )
                continue
            self._servers.append(
                await loop.create_server(
                    self._connection,
                    sock=listening,
                    backlog=_BACKLOG,
                    **self._tls_arguments(),
                )
            )

    def stop(self) -> None:
        """Accept no more connections; those that exist go on."""
        for server in self._servers:
            server.close()
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

    def _connection(self, peer: Client | None = None) -> Connection:
        return Connection(
            self._pending,
            peer,
            self._server,
            loop=asyncio.get_running_loop(),
            # Also the time limit for the head of each request.
            keepalive_timeout=self._timeout,
            access_log=None,
            max_line_size=_MAX_FIELD_SIZE,
            max_field_size=_MAX_FIELD_SIZE,
            max_headers=_MAX_FIELDS,
            lingering_time=self._timeout,
        )

    def _tls_arguments(self) -> dict[str, Any]:
        if self._context is None:
            return {}
        return {
            "ssl": self._context,
            "ssl_handshake_timeout": self._timeout,
        }

    async def _accept(
        self, listening: socket.socket, proxies: TrustedProxies
    ) -> None:
        """Accept connections that begin with the PROXY protocol."""
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
                task = loop.create_task(
                    self._begin(accepted, address[0], proxies)
                )
                self._preludes.add(task)
                task.add_done_callback(self._preludes.discard)
                self._pending.add(task, network(address[0]))

    async def _begin(
        self, accepted: socket.socket, address: str, proxies: TrustedProxies
    ) -> None:
        """Read the PROXY protocol, if the peer is trusted, then start TLS."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        proxy = readable(address.partition("%")[0])
        peer = Client(proxy)
        try:
            if proxies.trust(proxy):
                async with asyncio.timeout(self._timeout):
                    found = await _read(accepted)
                peer = Client(found, proxy) if found else peer
            loop = asyncio.get_running_loop()
            self._pending.discard(task)
            await loop.connect_accepted_socket(
                lambda: self._connection(peer),
                accepted,
                **self._tls_arguments(),
            )
        except (ProxyProtocolError, EOFError) as error:
            LOG.debug("Closed a connection of %s: %s", proxy, error)
            accepted.close()
        except (OSError, TimeoutError):
            accepted.close()
        except asyncio.CancelledError:
            accepted.close()
            raise
        finally:
            self._pending.discard(task)


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
