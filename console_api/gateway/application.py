# SPDX-License-Identifier: Apache-2.0
"""What the gateway answers over HTTP, until a WebSocket takes over."""

import asyncio
import json
import logging
import traceback
from collections.abc import Sequence
from http import HTTPStatus
from typing import cast

from aiohttp import web
from oslo_config import cfg

from console_api.gateway import credentials, origins
from console_api.gateway.brokers.base import Broker, Credential, Refused
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.connections import Connections
from console_api.gateway.listener import SERVER, Connection
from console_api.gateway.observers import Observer
from console_api.gateway.pages import Pages
from console_api.gateway.proxies import Source, TrustedProxies
from console_api.gateway.upgrades import take_over

LOG = logging.getLogger(__name__)

# Longer heads of requests are refused, in bytes, and longer bodies.
MAX_HEAD_SIZE = 16 * 1024
_MAX_BODY_SIZE = 4096

# Seconds that a browser has to receive a response.
_SEND_TIMEOUT = 60

_EXCHANGE = "/exchange"
_HEALTH = "/health"

_STATUSES = {
    CloseReason.INVALID_TOKEN: HTTPStatus.NOT_FOUND,
    CloseReason.TOKEN_USED: HTTPStatus.CONFLICT,
    CloseReason.LOCKED: HTTPStatus.FORBIDDEN,
    CloseReason.LIMIT_REACHED: HTTPStatus.TOO_MANY_REQUESTS,
    CloseReason.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}

_Request = web.BaseRequest


class Application:
    """Answers requests."""

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        broker: Broker,
        connections: Connections,
        observers: Sequence[Observer],
        proxies: TrustedProxies,
    ) -> None:
        """Read the page.

        :raises ValueError: an allowed origin is malformed
        """
        options = conf.gateway
        self._broker = broker
        self._connections = connections
        self._proxies = proxies
        self._observers = observers
        self._pages = Pages(options.frame_ancestors or ())
        self._origins = origins.Origins(options.allowed_origins or ())
        self._prefix = options.path_prefix
        self._is_view_only = options.view_only
        self._timeout = options.handshake_timeout
        self._max_connections = options.max_connections
        #: Whether the gateway stops, and opens nothing more.
        self.is_draining = False

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
            # The text of an error may contain a token.
            LOG.error(  # noqa: TRY400 (see above)
                "Unexpected %s while a request was answered:\n%s",
                type(error).__name__,
                "".join(traceback.format_tb(error.__traceback__)),
            )
            return _answer(HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _route(self, request: _Request) -> web.StreamResponse:
        raw = sum(
            len(name) + len(value) for name, value in request.raw_headers
        )
        if raw + len(request.raw_path) > MAX_HEAD_SIZE:
            return _answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        path = request.path
        if self._prefix and path.startswith(f"{self._prefix}/"):
            path = path.removeprefix(self._prefix)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._connect(request, path)
        if path == _EXCHANGE:
            return await self._exchange(request)
        return self._get(request.method, path)

    def _get(self, method: str, path: str) -> web.StreamResponse:
        if method not in ("GET", "HEAD"):
            return _answer(
                HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"}
            )
        if path == _HEALTH:
            return self._health()
        file = self._pages.find(path)
        if file is None:
            return _answer(HTTPStatus.NOT_FOUND)
        return web.Response(body=file.body, headers=file.headers)

    def _health(self) -> web.StreamResponse:
        if self.is_draining:
            return _answer(HTTPStatus.SERVICE_UNAVAILABLE, "Stopping.")
        return _answer(HTTPStatus.OK, "OK")

    def _source(self, request: _Request) -> Source:
        # It is not that of aiohttp if the PROXY protocol is in use.
        connection = cast("Connection", request.protocol)
        return self._proxies.source(
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
        if not self._origins.is_allowed(origin, source.scheme, source.host):
            LOG.warning(
                "Refused a WebSocket of %s: the origin %.200s is not allowed "
                "([gateway] allowed_origins).",
                source.client.address,
                ascii(origin),
            )
            return _answer(HTTPStatus.FORBIDDEN, "The origin is not allowed.")
        is_full = len(self._connections) >= self._max_connections
        if self.is_draining or is_full:
            return _answer(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "There are too many connections.",
                {"Retry-After": "10"},
            )
        credential = credentials.find(
            path,
            request.query_string,
            request.cookies,
            request.headers.get("Sec-WebSocket-Protocol", ""),
        )
        await self._connections.serve(
            take_over(
                request,
                credential,
                source.client,
                is_spice=credentials.is_spice(path),
            )
        )
        return web.Response(status=HTTPStatus.SWITCHING_PROTOCOLS)

    async def _exchange(self, request: _Request) -> web.StreamResponse:
        """Exchange a token for a secret, for our own page only."""
        if request.method != "POST":
            return _answer(
                HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"}
            )
        source = self._source(request)
        origin = request.headers.get("Origin")
        is_same = origin is None or origins.is_same(
            origin, source.scheme, source.host
        )
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        if not is_same or site != "same-origin":
            return _answer(HTTPStatus.FORBIDDEN, "The origin is not allowed.")
        credential = await self._read_credential(request)
        if credential is None:
            return _refuse(
                HTTPStatus.BAD_REQUEST,
                Refused(
                    CloseReason.INVALID_TOKEN, "The request is malformed."
                ),
            )
        if self.is_draining:
            reason = CloseReason.UNAVAILABLE
            refusal = Refused(reason, reason.text, retry_after=1)
            return _refuse(HTTPStatus.SERVICE_UNAVAILABLE, refusal)
        try:
            grant = await self._broker.exchange(credential, source.client)
        except Refused as refusal:
            for observer in self._observers:
                observer.refused(source.client, refusal, None)
            return _refuse(
                _STATUSES.get(refusal.reason, HTTPStatus.FORBIDDEN), refusal
            )
        key = credentials.new_key(grant.console_type)
        headers = {"Cache-Control": "no-store"}
        if source.is_secure:
            path = f"{self._prefix}/"
            headers["Set-Cookie"] = credentials.cookie(key, grant, path)
        return web.json_response(
            {
                "console": key,
                "secret": None if source.is_secure else grant.secret,
                "console_type": grant.console_type,
                "view_only": grant.view_only or self._is_view_only,
                "exclusive": grant.exclusive,
                "resume_timeout": grant.resume_timeout,
            },
            headers=headers,
        )

    async def _read_credential(self, request: _Request) -> Credential | None:
        """Return the token in a request's body; None if it is malformed."""
        if request.content_type != "application/json":
            return None
        try:
            async with asyncio.timeout(self._timeout):
                body = await request.content.read(_MAX_BODY_SIZE)
                while not request.content.at_eof():
                    body += await request.content.read(_MAX_BODY_SIZE)
                    if len(body) > _MAX_BODY_SIZE:
                        return None
            return credentials.read(json.loads(body))
        except (TimeoutError, ValueError):
            return None


def _answer(
    status: HTTPStatus,
    text: str | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    return web.Response(
        status=status,
        text=f"{text or status.phrase}\n",
        headers={
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **(headers or {}),
        },
    )


def _refuse(status: HTTPStatus, refusal: Refused) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    return web.json_response(
        {
            "reason": refusal.label,
            "code": refusal.reason.code,
            "message": str(refusal),
            "retry_after": refusal.retry_after,
        },
        status=status,
        headers=headers,
    )
