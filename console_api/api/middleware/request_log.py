# SPDX-License-Identifier: Apache-2.0
"""Request ids, and a line in the log for each request."""

import logging
import random
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from oslo_context import context as oslo_context
from oslo_middleware import request_id as oslo_request_id

from console_api.api import routes

if TYPE_CHECKING:
    from wsgiref.types import (
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

LOG = logging.getLogger(__name__)

#: Where the request id is in the WSGI environment, as oslo.middleware's.
REQUEST_ID = oslo_request_id.ENV_REQUEST_ID

#: Where the id is that the caller gave to all it does in one go, if any.
GLOBAL_REQUEST_ID = oslo_request_id.GLOBAL_REQ_ID

_GLOBAL_ID_FORM = re.compile(oslo_request_id.ID_FORMAT)

_ROUTE = "console_api.route"


class RequestLogFilter:
    """Gives each request an id, in the log and in the reply.

    What changes something and what is refused is logged at level INFO, a
    read that succeeds at DEBUG: proxies look tokens up all the time.

    The path is logged only once it has been routed, and without what must
    not be read there: a mistyped URL may hold a token.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        """Wrap an application."""
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one WSGI request and log that."""
        started = time.monotonic()
        request_id = _generate_id()
        environ[REQUEST_ID] = request_id
        global_id = environ.get("HTTP_X_OPENSTACK_REQUEST_ID")
        if global_id and _GLOBAL_ID_FORM.fullmatch(global_id):
            environ[GLOBAL_REQUEST_ID] = global_id
        # In force until the caller is known, for the lines before that.
        oslo_context.RequestContext(request_id=request_id)

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Any:
            level = _level(environ["REQUEST_METHOD"], status)
            if LOG.isEnabledFor(level):
                LOG.log(
                    level,
                    '%s "%s %s" status: %s time: %.4f',
                    environ.get("REMOTE_ADDR") or "-",
                    environ["REQUEST_METHOD"],
                    _path(environ),
                    status[:3],
                    time.monotonic() - started,
                )
            headers += [
                ("x-openstack-request-id", request_id),
                ("x-compute-request-id", request_id),
            ]
            return start_response(status, headers, exc_info)

        return self._app(environ, start)


def _generate_id() -> str:
    # Unique, not secret: the system's source of randomness would let other
    # threads run first, at each request.
    return f"req-{uuid.UUID(int=random.getrandbits(128), version=4)}"


def _level(method: str, status: str) -> int:
    if status < "4" and method in ("GET", "HEAD"):
        return logging.DEBUG
    return logging.INFO


def note_route(
    environ: "WSGIEnvironment", template: str, variables: Mapping[str, str]
) -> None:
    """Remember which route a request took, for the path in the log."""
    environ[_ROUTE] = template, variables


def _path(environ: "WSGIEnvironment") -> str:
    if _ROUTE not in environ:
        return "-"
    template: str
    template, variables = environ[_ROUTE]
    shown = {
        name: "***" if name in routes.SECRETS else quote(value)
        for name, value in variables.items()
    }
    return quote(environ["SCRIPT_NAME"]) + template.format(**shown)
