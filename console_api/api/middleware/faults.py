# SPDX-License-Identifier: Apache-2.0
"""Error replies of other filters, in the form of all others."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from console_api.api import faults
from console_api.api.response import ANSWERED

if TYPE_CHECKING:
    from wsgiref.types import (
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

# Of the reply that is replaced, these describe a body that nobody sees.
_BODY_HEADERS = frozenset({"content-type", "content-length"})


class FaultsFilter:
    """Replaces pages that WebOb makes for people by faults for clients.

    keystonemiddleware and oslo.middleware answer with HTML, text or JSON of
    their own, as the Accept header asks.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        """Wrap an application."""
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one WSGI request."""
        foreign: list[tuple[int, list[tuple[str, str]]]] = []

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Any:
            if status >= "4" and ANSWERED not in environ:
                foreign.append((int(status[:3]), headers))
                return lambda _data: None
            return start_response(status, headers, exc_info)

        try:
            body = self._app(environ, start)
        except Exception as error:  # noqa: BLE001 (logged and made neutral)
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
