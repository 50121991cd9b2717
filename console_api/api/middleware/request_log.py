# SPDX-License-Identifier: Apache-2.0
"""Request IDs, and a log line for each request."""

import logging
import random
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING
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

    from _typeshed import OptExcInfo

LOG = logging.getLogger(__name__)

#: The key of the request ID in the WSGI environment, as in oslo.middleware.
REQUEST_ID = oslo_request_id.ENV_REQUEST_ID

#: The key of the ID that the caller sent for several related requests.
GLOBAL_REQUEST_ID = oslo_request_id.GLOBAL_REQ_ID

_GLOBAL_ID_FORM = re.compile(oslo_request_id.ID_FORMAT)

_ROUTE = "console_api.route"

# The end of the path of gateways' heartbeats.
_HEARTBEAT = "/os-console-gateways/{gateway_id}"

# Variables of paths that may be logged: UUIDs and numbers. No token of this
# length has only these characters.
_ID = re.compile(r"[0-9A-Fa-f-]{1,36}")


class RequestLogFilter:
    """Assigns request IDs and logs requests.

    Changes and refusals are logged at level INFO, successful reads and
    heartbeats at DEBUG, because proxies look up tokens all the time, and each
    gateway sends a heartbeat every second.

    A path is logged only if it belongs to a route, and of its variables only
    those that look like IDs: in a mistyped URL, a token may be anywhere.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        """Wrap an application."""
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Respond to a WSGI request and log it."""
        started = time.monotonic()
        request_id = _generate_id()
        environ[REQUEST_ID] = request_id
        global_id = environ.get("HTTP_X_OPENSTACK_REQUEST_ID")
        if global_id and _GLOBAL_ID_FORM.fullmatch(global_id):
            environ[GLOBAL_REQUEST_ID] = global_id
        # For log lines before the caller is known.
        oslo_context.RequestContext(request_id=request_id)

        def start(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: "OptExcInfo | None" = None,
        ) -> "Callable[[bytes], object]":
            level = _level(environ, status)
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
    # It has to be unique, not secret.  Reading os.urandom would release the
    # GIL in each request.
    return f"req-{uuid.UUID(int=random.getrandbits(128), version=4)}"


def _level(environ: "WSGIEnvironment", status: str) -> int:
    method = environ["REQUEST_METHOD"]
    template = environ.get(_ROUTE, ("",))[0]
    is_routine = method in ("GET", "HEAD") or (
        method == "PUT" and template.endswith(_HEARTBEAT)
    )
    return logging.DEBUG if is_routine and status < "4" else logging.INFO


def note_route(
    environ: "WSGIEnvironment", template: str, variables: Mapping[str, str]
) -> None:
    """Record the route of a request, for the path in the log."""
    environ[_ROUTE] = template, variables


def _path(environ: "WSGIEnvironment") -> str:
    if _ROUTE not in environ:
        return "-"
    template: str
    template, variables = environ[_ROUTE]
    shown = {
        name: value if _is_loggable(name, value) else "***"
        for name, value in variables.items()
    }
    return quote(environ["SCRIPT_NAME"]) + template.format(**shown)


def _is_loggable(name: str, value: str) -> bool:
    return name not in routes.SECRETS and _ID.fullmatch(value) is not None
