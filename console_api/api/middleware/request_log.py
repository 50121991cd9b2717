# SPDX-License-Identifier: Apache-2.0
"""Request ids, and one line in the log for each request."""

import logging
import time
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

_LOGGED_PATH = "console_api.logged_path"


class RequestLogFilter:
    """Gives each request an id, in the log and in the reply.

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
        request_id = oslo_context.generate_request_id()
        environ[REQUEST_ID] = request_id
        # In force until the caller is known, for the lines before that.
        oslo_context.RequestContext(request_id=request_id)

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Any:
            LOG.info(
                '%s "%s %s" status: %s time: %.4f',
                environ.get("REMOTE_ADDR") or "-",
                environ["REQUEST_METHOD"],
                environ.get(_LOGGED_PATH, "-"),
                status[:3],
                time.monotonic() - started,
            )
            headers += [
                ("x-openstack-request-id", request_id),
                ("x-compute-request-id", request_id),
            ]
            return start_response(status, headers, exc_info)

        return self._app(environ, start)


def note_route(
    environ: "WSGIEnvironment", template: str, variables: Mapping[str, str]
) -> None:
    """Remember under which path a request is logged."""
    shown = {
        name: "***" if name in routes.SECRETS else quote(value)
        for name, value in variables.items()
    }
    environ[_LOGGED_PATH] = quote(environ["SCRIPT_NAME"]) + template.format(
        **shown
    )
