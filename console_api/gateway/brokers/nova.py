# SPDX-License-Identifier: Apache-2.0
"""What the gateway asks Nova: tokens, servers, and displays of servers."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from console_api import values
from console_api.gateway.service_client import (
    RequestFailed,
    Response,
    ServiceClient,
)

_T = TypeVar("_T")

# Nova 15 and later; returns connection info for every console type.
_HEADERS = {"OpenStack-API-Version": "compute 2.31"}

# Shut down, crashed and suspended: without a display. Another server may have
# its port now.
_OFF = (4, 6, 7)

# In the URL of a console: in its query, or quoted in its `path`.
_TOKEN = re.compile(r"token(?:=|%3[Dd])([A-Za-z0-9-]{1,64})")

_FAULTS = {
    400: "badRequest",
    404: "itemNotFound",
    409: "conflictingRequest",
    501: "notImplemented",
}


class NotFound(Exception):
    """Nova does not have it, or not in its current state."""


@dataclass(frozen=True, slots=True)
class Display:
    """The display that a token leads to."""

    server_id: str
    host: str
    port: int
    internal_access_path: str | None


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs; a project or host that Nova hides is None."""

    project_id: str | None
    compute_host: str | None


class Nova:
    """Requests to Nova; each returns an object or raises an error.

    They raise ``NotFound``, and ``RequestFailed`` if there is no response or
    one that cannot be used.
    """

    def __init__(self, client: ServiceClient) -> None:
        """Prepare; sends nothing yet."""
        self._client = client

    async def display(self, token: str) -> Display:
        """Return the display that a token leads to.

        :raises NotFound: the token is not valid
        """
        path = f"/os-console-auth-tokens/{quote(token, safe='')}"
        return await self._get(path, "console", _display)

    async def server(self, server_id: str) -> Server:
        """Return a server.

        :raises NotFound: it does not exist, or does not run
        """
        server = await self._get(f"/servers/{server_id}", "server", _server)
        if server is None:
            raise NotFound
        return server

    async def current_display(
        self, server_id: str, protocol: str, console_type: str
    ) -> Display:
        """Return the display that a server has now, by requesting a console.

        Nova's compute service answers where it is.

        :raises NotFound: the server has no display of this type
        """
        body = {"remote_console": {"protocol": protocol, "type": console_type}}
        response = await self._client.request(
            "POST",
            f"/servers/{server_id}/remote-consoles",
            body,
            headers=_HEADERS,
        )
        url = _read(response, "remote_console").get("url")
        match = _TOKEN.search(url) if isinstance(url, str) else None
        if match is None:
            raise _invalid("the URL of a console has no token")
        return await self.display(match[1])

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _get(
        self, path: str, key: str, read: Callable[[Mapping[str, Any]], _T]
    ) -> _T:
        response = await self._client.request("GET", path, headers=_HEADERS)
        document = _read(response, key)
        try:
            return read(document)
        except (LookupError, ValueError) as error:
            raise _invalid(f"{key}: {error}") from error


def _read(response: Response, key: str) -> Mapping[str, Any]:
    """Return the resource in a response."""
    document = response.document
    # A proxy's 404 does not mean that there is no token.
    if _FAULTS.get(response.status, "") in document:
        raise NotFound
    found = document.get(key)
    if response.status != 200 or not isinstance(found, dict):
        raise _invalid(f"status {response.status}")
    return found


def _invalid(reason: str) -> RequestFailed:
    return RequestFailed(f"invalid response: {reason}", was_sent=True)


def _display(document: Mapping[str, Any]) -> Display:
    path = document.get("internal_access_path")
    return Display(
        server_id=values.named(
            "instance_uuid", values.uuid, document["instance_uuid"]
        ),
        host=values.named("host", values.endpoint_host, document["host"]),
        port=values.named("port", values.port, document["port"]),
        internal_access_path=(
            values.named("internal_access_path", values.text, path)
            if path
            else None
        ),
    )


def _server(document: Mapping[str, Any]) -> Server | None:
    if document.get("OS-EXT-STS:power_state") in _OFF:
        return None
    project_id = document.get("tenant_id")
    compute_host = document.get("OS-EXT-SRV-ATTR:host")
    return Server(
        None if project_id is None else values.text(project_id),
        None if compute_host is None else values.host(compute_host),
    )
