# SPDX-License-Identifier: Apache-2.0
"""Requests for WebSockets, taken over from the HTTP server."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from console_api.gateway.brokers.base import Client, Credential

# The library logs headers and frames, which contain secrets and keys.
LOG = logging.getLogger(f"{__name__}.handshakes")
LOG.setLevel(logging.CRITICAL)

_BINARY = Subprotocol("binary")

# What the opening handshake consists of: RFC 6455, section 4.2.1.
_HEADERS = {
    "connection",
    "host",
    "origin",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "upgrade",
}


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A request for a WebSocket.

    ``early`` is what the browser sent behind the request.  Without
    ``credential``, the browser is told that it needs a token.  ``is_spice``
    means that the connection may be a channel of SPICE.
    """

    transport: asyncio.Transport
    request: Request
    early: bytes
    credential: Credential | None
    client: Client
    is_spice: bool = False


class _Remainder:
    """Receives what aiohttp has read behind a request."""

    def __init__(self) -> None:
        self.data = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Keep bytes."""
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        """Do nothing; the WebSocket notices the end by itself."""


def take_over(
    request: web.BaseRequest,
    credential: Credential | None,
    client: Client,
    *,
    is_spice: bool = False,
) -> Upgrade:
    """Take a connection away from aiohttp.

    Its server forgets the connection, and drops the response of the request's
    handler.  The caller has to set another protocol before it awaits.

    :raises ConnectionResetError: the browser closed the connection
    :raises ValueError: the head of the request is malformed
    """
    protocol, transport = request.protocol, request.transport
    if transport is None:
        raise ConnectionResetError("closed by the browser")
    head = _head(request)
    transport.pause_reading()
    remainder = _Remainder()
    protocol.set_parser(cast("Any", remainder))
    # Otherwise, aiohttp would close it.
    protocol.transport = None
    protocol.connection_lost(None)
    return Upgrade(
        transport, head, remainder.data, credential, client, is_spice
    )


def _head(request: web.BaseRequest) -> Request:
    """Return the head of a request, for the opening handshake.

    :raises ValueError: a header is malformed
    """
    # Cookies and other headers are not necessary, and may contain anything.
    headers = [
        (name, value)
        for name, value in request.headers.items()
        if name.lower() in _HEADERS
    ]
    version = f"HTTP/{request.version.major}.{request.version.minor}"
    try:
        return Request(
            request.raw_path, Headers(headers), request.method, version
        )
    except InvalidHeader as error:
        raise ValueError(f"invalid header {error.name}") from error


def answer(request: Request) -> Response:
    """Return the response to a request for a WebSocket.

    :returns: with status 101; with another one if the request is not valid
    """
    protocol = ServerProtocol(
        select_subprotocol=_select_subprotocol, logger=LOG
    )
    return protocol.accept(request)


def _select_subprotocol(
    _protocol: ServerProtocol, offered: Sequence[Subprotocol]
) -> Subprotocol | None:
    """Choose what all clients understand, if they offer it.

    Others may be a secret, or unknown; many clients offer none.
    """
    return _BINARY if _BINARY in offered else None
