# SPDX-License-Identifier: Apache-2.0
"""Requests of the gateway to another service, as a service user."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from oslo_config import cfg

from console_api.gateway.service_access import (
    Access,
    AuthenticationFailed,
    ServiceAccess,
)

# Far more than a response to a heartbeat with thousands of sessions.
_MAX_BODY_LENGTH = 2**22

# Servers close idle connections, gunicorn after 2 seconds by default.
_KEEPALIVE_TIMEOUT = 1.5

# Longer pauses than a page would wait.
_MAX_RETRY_AFTER = 3600


class RequestFailed(Exception):
    """There is no response, or none that can be used.

    The message contains no token.  ``was_sent`` is false if the service
    certainly did not receive the request.
    """

    def __init__(self, reason: str, *, was_sent: bool) -> None:
        """Create the error."""
        super().__init__(reason)
        self.was_sent = was_sent


@dataclass(frozen=True, slots=True)
class Response:
    """A response; ``document`` is empty if the body is not a JSON object.

    ``retry_after`` is in seconds, None if the service does not say.
    """

    status: int
    document: Mapping[str, Any] = field(repr=False)
    retry_after: int | None


@dataclass(frozen=True, slots=True)
class _Request:
    """What is sent, again if the first token is refused."""

    method: str
    path: str = field(repr=False)
    content: bytes | None = field(repr=False)
    headers: Mapping[str, str]


class ServiceClient:
    """Sends requests as the user of a group of keystoneauth's options.

    Use it in one event loop.
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        group: str,
        register: Callable[[cfg.ConfigOpts], None],
    ) -> None:
        """Prepare; sends nothing yet.

        :param group: of the options
        :param register: registers them
        :raises ConfigurationError: an option is invalid
        """
        self._access = ServiceAccess(conf, group, register)
        self._http: aiohttp.ClientSession | None = None

    @property
    def timeout(self) -> float:
        """The time limit of a request, in seconds."""
        return self._access.timeout

    async def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (of the whole request)
    ) -> Response:
        """Send a request, with a new token if the first one is refused.

        :param path: below the endpoint, quoted
        :param body: sent as JSON; None sends no body
        :param timeout: in seconds; by default, that of the options
        :raises RequestFailed: there is no usable response in time
        """
        limit = self.timeout if timeout is None else timeout
        content = None if body is None else json.dumps(body).encode()
        sent = _Request(method, path, content, headers or {})
        try:
            async with asyncio.timeout(limit):
                access = await self._access.get()
                response = await self._send(sent, access)
                if response.status == 401:
                    self._access.forget(access)
                    access = await self._access.get()
                    response = await self._send(sent, access)
        except AuthenticationFailed as error:
            raise RequestFailed(str(error), was_sent=False) from None
        except TimeoutError:
            raise RequestFailed(
                f"no complete response within {limit:g} seconds", was_sent=True
            ) from None
        if response.status == 401:
            self._access.forget(access)
            raise RequestFailed(
                "the service refuses the token of the service user",
                was_sent=False,
            )
        return response

    async def close(self) -> None:
        """Close all connections."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def _send(self, sent: _Request, access: Access) -> Response:
        try:
            async with self._connections().request(
                sent.method,
                access.endpoint + sent.path,
                data=sent.content,
                headers={
                    **access.headers,
                    **sent.headers,
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                    "Content-Type": "application/json",
                },
                # The target would receive the token of the service user.
                allow_redirects=False,
            ) as response:
                return await _read(response)
        except aiohttp.ClientConnectorError as error:
            # Its text has the address only.
            raise RequestFailed(str(error), was_sent=False) from None
        except (aiohttp.ClientError, ValueError, OSError) as error:
            # The texts may contain the path, and the token in it.
            raise RequestFailed(
                f"no response ({type(error).__name__})", was_sent=True
            ) from None

    def _connections(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,
                    ssl=self._access.tls,
                    keepalive_timeout=_KEEPALIVE_TIMEOUT,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                auto_decompress=False,
            )
        return self._http


async def _read(response: aiohttp.ClientResponse) -> Response:
    """Read a response.

    :raises ValueError: it is too long
    """
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MAX_BODY_LENGTH:
            raise ValueError
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    return Response(
        response.status,
        document if isinstance(document, dict) else {},
        _retry_after(response.headers.get("Retry-After", "")),
    )


def _retry_after(value: str) -> int | None:
    """Return the value of the header, None for a date or garbage."""
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        return None
    return min(int(value), _MAX_RETRY_AFTER)
