# SPDX-License-Identifier: Apache-2.0
"""What the gateway answers over HTTP, until a WebSocket takes over."""

import asyncio
import logging
import traceback
from collections.abc import Sequence
from http import HTTPStatus
from typing import cast

from aiohttp import web
from oslo_config import cfg

from console_api.gateway import credentials, responses
from console_api.gateway.access import Access
from console_api.gateway.brokers.base import Broker
from console_api.gateway.connections import Connections
from console_api.gateway.exchange import Exchange
from console_api.gateway.listener import SERVER, Connection
from console_api.gateway.observers import Observer
from console_api.gateway.pages import Pages
from console_api.gateway.proxies import Source
from console_api.gateway.upgrades import take_over

LOG = logging.getLogger(__name__)

# Longer heads of requests are refused, in bytes.
_MAX_HEAD_SIZE = 16 * 1024

# Seconds that a browser has to receive a response.
_SEND_TIMEOUT = 60

_EXCHANGE = "/exchange"
_HEALTH = "/health"

_Request = web.BaseRequest


class Application:
    """Answers requests."""

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        broker: Broker,
        connections: Connections,
        observers: Sequence[Observer],
        access: Access,
    ) -> None:
        """Read the page."""
        options = conf.gateway
        self._connections = connections
        self._exchange = Exchange(conf, broker, observers)
        self._access = access
        self._pages = Pages(access.frame_ancestors)
        self._prefix = options.path_prefix
        self._max_connections = options.max_connections

    def allow(self, access: Access) -> None:
        """Replace what may use the gateway, for requests from now on."""
        self._access = access
        self._pages.allow_frames(access.frame_ancestors)

    async def handle(self, request: _Request) -> web.StreamResponse:
        """Answer a request."""
        cast("Connection", request.protocol).begin_request()
        response = await self._answer(request)
        if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
            # The connection is no longer that of the HTTP server: not sent.
            return response
        response.headers.setdefault("Server", SERVER)
        try:
            async with asyncio.timeout(_SEND_TIMEOUT):
                await response.prepare(request)
                await response.write_eof()
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
        return response

    async def _answer(self, request: _Request) -> web.StreamResponse:
        try:
            return await self._route(request)
        except (asyncio.CancelledError, ConnectionError, web.HTTPException):
            raise
        except Exception as error:  # noqa: BLE001 (answered with 500)
            name = type(error).__name__
            trace = "".join(traceback.format_tb(error.__traceback__))
        # The text of the error may contain a token.  oslo.log would add it to
        # a line that is logged while the error is handled.
        LOG.error("Unexpected %s in a request:\n%s", name, trace)
        return responses.plain(HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _route(self, request: _Request) -> web.StreamResponse:
        raw = sum(
            len(name) + len(value) for name, value in request.raw_headers
        )
        if raw + len(request.raw_path) > _MAX_HEAD_SIZE:
            return responses.plain(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        path = request.path
        if self._prefix and path.startswith(f"{self._prefix}/"):
            path = path.removeprefix(self._prefix)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._connect(request, path)
        if path == _EXCHANGE:
            return await self._exchange.answer(request, self._source(request))
        return self._get(request, path)

    def _get(self, request: _Request, path: str) -> web.StreamResponse:
        if request.method not in ("GET", "HEAD"):
            return responses.plain(
                HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"}
            )
        if path == _HEALTH:
            return self._health()
        file = self._pages.find(path)
        if file is None:
            return responses.plain(HTTPStatus.NOT_FOUND)
        accepted = request.headers.get("Accept-Encoding", "").split(",")
        if "gzip" in map(str.strip, accepted):
            return web.Response(
                body=file.compressed,
                headers={**file.headers, "Content-Encoding": "gzip"},
            )
        return web.Response(body=file.body, headers=file.headers)

    def _health(self) -> web.StreamResponse:
        if self._connections.is_draining:
            return responses.plain(HTTPStatus.SERVICE_UNAVAILABLE, "Stopping.")
        return responses.plain(HTTPStatus.OK, "OK")

    def _source(self, request: _Request) -> Source:
        # It is not that of aiohttp if the PROXY protocol is in use.
        connection = cast("Connection", request.protocol)
        return self._access.proxies.source(
            connection.peer,
            request.headers,
            is_secure=connection.ssl_context is not None,
        )

    async def _connect(
        self, request: _Request, path: str
    ) -> web.StreamResponse:
        """Hand a WebSocket over, if its page may open one."""
        source = self._source(request)
        origin = request.headers.get("Origin")
        if not self._access.origins.is_allowed(
            origin, source.scheme, source.host
        ):
            LOG.warning(
                "Refused a WebSocket of %s: its origin %.200s is neither "
                "%.200s nor in [gateway] allowed_origins. If a proxy is in "
                "between, see [gateway] trusted_proxies.",
                source.client.address,
                ascii(origin),
                ascii(f"{source.scheme}://{source.host}"),
            )
            return responses.plain(
                HTTPStatus.FORBIDDEN, "The origin is not allowed."
            )
        is_full = len(self._connections) >= self._max_connections
        if self._connections.is_draining or is_full:
            return responses.plain(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The gateway accepts no connection now.",
                {"Retry-After": "10"},
            )
        credential = credentials.find(
            path,
            request.query_string,
            request.cookies,
            request.headers.get("Sec-WebSocket-Protocol", ""),
        )
        try:
            upgrade = take_over(
                request,
                credential,
                source.client,
                is_spice=credentials.is_spice(path),
            )
        except ValueError:
            return responses.plain(HTTPStatus.BAD_REQUEST)
        await self._connections.serve(upgrade)
        return web.Response(status=HTTPStatus.SWITCHING_PROTOCOLS)
