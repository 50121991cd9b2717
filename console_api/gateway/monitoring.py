# SPDX-License-Identifier: Apache-2.0
"""Metrics, health and readiness, on an address of their own."""

from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web

from console_api.gateway.connections import Connections

#: Returns the metrics, and their content type.
Metrics = Callable[[], tuple[bytes, str]]

#: Returns why the gateway is not ready, None if it is.
Trouble = Callable[[], str | None]


class Monitoring:
    """Answers monitoring systems and load balancers."""

    def __init__(
        self, metrics: Metrics, trouble: Trouble, connections: Connections
    ) -> None:
        """Prepare."""
        self._metrics = metrics
        self._trouble = trouble
        self._connections = connections

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        if request.method not in ("GET", "HEAD"):
            return _answer(HTTPStatus.METHOD_NOT_ALLOWED, "")
        if request.path == "/metrics":
            body, content_type = self._metrics()
            return web.Response(
                body=body, headers={"Content-Type": content_type}
            )
        if request.path not in ("/health", "/ready"):
            return _answer(HTTPStatus.NOT_FOUND, "")
        if self._connections.is_draining:
            return _answer(HTTPStatus.SERVICE_UNAVAILABLE, "Stopping.")
        trouble = self._trouble() if request.path == "/ready" else None
        if trouble is not None:
            return _answer(HTTPStatus.SERVICE_UNAVAILABLE, trouble)
        return _answer(HTTPStatus.OK, "OK")


def _answer(status: HTTPStatus, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text or status.phrase}\n")
