# SPDX-License-Identifier: Apache-2.0
"""The API as a filter in front of another API, usually Nova's."""

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from console_api import errors
from console_api.api import body, subrequest
from console_api.api.application import Application
from console_api.api.faults import Fault
from console_api.api.routes import AnyRoute
from console_api.directory import pipeline
from console_api.directory.base import SKIP_FILTER

if TYPE_CHECKING:
    from wsgiref.types import (
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

# Errors that leave open whether what was requested belongs to the other API.
_MAYBE_THEIRS = (
    Fault,
    errors.Forbidden,
    errors.InvalidInput,
    errors.NotFound,
    errors.ProjectScopeRequired,
)

_SKIP_FILTER = f"HTTP_{SKIP_FILTER.upper().replace('-', '_')}"


class Filter:
    """Serves the operations of an application, passes on everything else.

    What is passed on reaches the next application unchanged.
    """

    def __init__(
        self, application: Application, next_app: "WSGIApplication"
    ) -> None:
        """Put an application in front of the other API.

        :param next_app: the other API, or the next filter in front of it
        """
        self._application = application
        self._next_app = next_app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Respond to a WSGI request, or pass it on."""
        match = self._application.routes.match(
            environ["PATH_INFO"], environ["REQUEST_METHOD"]
        )
        if (
            match is None
            or match.route is None
            or _SKIP_FILTER in environ
            or not _is_ours(match.route, environ)
        ):
            return self._next_app(environ, start_response)
        # The directory `pipeline` looks servers up in the next application.
        ask = functools.partial(subrequest.get, environ, self._next_app)
        with pipeline.asking(ask):
            response, headers = self._application.process(
                environ, match, match.route
            )
        if (
            match.route.shared
            and response.error is not None
            and issubclass(response.error, _MAYBE_THEIRS)
        ):
            return self._next_app(environ, start_response)
        return response.send(environ, start_response, headers)


def _is_ours(route: AnyRoute, environ: "WSGIEnvironment") -> bool:
    if not route.actions:
        return True
    try:
        document = body.peek(environ)
    except Exception:  # noqa: BLE001 (depends on the WSGI server)
        # Incomplete or too large: reading it for the operation fails as well.
        return True
    return isinstance(document, dict) and any(
        name in document for name in route.actions
    )
