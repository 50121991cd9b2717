# SPDX-License-Identifier: Apache-2.0
"""Responses as plain data, sent over WSGI."""

import datetime as dt
import http
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

Header = tuple[str, str]

CONTENT_TYPE: Header = ("Content-Type", "application/json")

#: Set in the WSGI environment by ``Response.send``: the filter ``faults``
#: replaces error responses without it.
ANSWERED = "console_api.answered"

_STATUS_LINES = {
    status.value: f"{status.value} {status.phrase}"
    for status in http.HTTPStatus
}


@dataclass(frozen=True, slots=True)
class Response:
    """Status, body, and headers other than its Content-Type and length.

    A 204 has neither.  ``error`` is the class of the exception that the
    response reports, if any.
    """

    status: int = 200
    body: bytes = b""
    headers: Sequence[Header] = ()
    error: type[Exception] | None = None

    def send(
        self,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
        more_headers: Iterable[Header] = (),
    ) -> list[bytes]:
        """Send the response, without its body if the method is HEAD."""
        environ[ANSWERED] = True
        headers = [*more_headers, *self.headers]
        if self.status != http.HTTPStatus.NO_CONTENT:
            # Not allowed with 204 (RFC 9110, section 8.6).
            length = ("Content-Length", str(len(self.body)))
            headers = [CONTENT_TYPE, length, *headers]
        start_response(
            _STATUS_LINES.get(self.status, f"{self.status} Error"), headers
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.body]


def render_time(seconds: int) -> str:
    """Return a date and time in UTC, in the form of ISO 8601.

    :param seconds: since the epoch
    """
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()


def render_json(document: object, status: int = 200) -> Response:
    """Return a response with a JSON document."""
    return Response(status, json.dumps(document).encode())
