# SPDX-License-Identifier: Apache-2.0
"""A reply, as plain data until it is sent."""

import http
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

Header = tuple[str, str]

CONTENT_TYPE: Header = ("Content-Type", "application/json")

#: Set in the WSGI environment once one of our own replies is on its way.
ANSWERED = "console_api.answered"

_STATUS_LINES = {
    status.value: f"{status.value} {status.phrase}"
    for status in http.HTTPStatus
}


@dataclass(frozen=True, slots=True)
class Response:
    """Status, body and headers beyond type and length of the body."""

    status: int = 200
    body: bytes = b""
    headers: Sequence[Header] = ()

    def send(
        self,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
        more_headers: Iterable[Header] = (),
    ) -> list[bytes]:
        """Answer a WSGI request; a HEAD request gets the headers alone."""
        environ[ANSWERED] = True
        start_response(
            _STATUS_LINES.get(self.status, f"{self.status} Error"),
            [
                CONTENT_TYPE,
                ("Content-Length", str(len(self.body))),
                *more_headers,
                *self.headers,
            ],
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.body]


def render_json(document: Any, status: int = 200) -> Response:
    """Make a reply with a JSON document."""
    return Response(status, json.dumps(document).encode())
