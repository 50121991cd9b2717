# SPDX-License-Identifier: Apache-2.0
"""A WSGI application that does nothing, to measure the WSGI server alone."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


def application(
    _environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    """Handle one WSGI request."""
    start_response("200 OK", [("Content-Length", "2")])
    return [b"{}"]
