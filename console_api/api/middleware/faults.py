# SPDX-License-Identifier: Apache-2.0
"""Error responses of other filters, in the form of all faults."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from console_api.api import faults
from console_api.api.response import ANSWERED

if TYPE_CHECKING:
    from wsgiref.types import (
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

    from _typeshed import OptExcInfo

# Headers of the replaced response that describe its body.
_BODY_HEADERS = frozenset({"content-type", "content-length"})


class FaultsFilter:
    """Replaces the error pages of other filters with faults.

    keystonemiddleware and oslo.middleware send HTML, text or their own JSON,
    depending on the Accept header.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        """Wrap an application."""
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Respond to a WSGI request."""
        foreign: list[tuple[int, list[tuple[str, str]]]] = []

        def start(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: "OptExcInfo | None" = None,
        ) -> "Callable[[bytes], object]":
            if status >= "4" and ANSWERED not in environ:
                foreign.append((int(status[:3]), headers))
                return lambda _data: None
            return start_response(status, headers, exc_info)

        try:
            body = self._app(environ, start)
        except Exception as error:  # noqa: BLE001 (logged, neutral response)
            response = faults.from_error(error)
            return response.send(environ, start_response)
        if not foreign:
            return body
        if hasattr(body, "close"):
            body.close()
        status, headers = foreign[-1]
        kept = [
            header
            for header in headers
            if header[0].lower() not in _BODY_HEADERS
        ]
        response = faults.from_status(status, kept)
        return response.send(environ, start_response)
