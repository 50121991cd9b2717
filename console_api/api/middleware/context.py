# SPDX-License-Identifier: Apache-2.0
"""Who is asking: the identity that the authentication filter found."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from oslo_context.context import RequestContext

from console_api.api import faults
from console_api.api.middleware.request_log import REQUEST_ID

if TYPE_CHECKING:
    from wsgiref.types import (
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

_CONTEXT = "console_api.context"


class ContextFilter:
    """Turns the headers of the authentication filter into a context.

    The filter before it (keystonemiddleware's, ``noauth2``, or another one
    that sets the same headers) has to remove what a client sends of them.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        """Wrap an application."""
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Refuse a request without identity, hand on any other."""
        try:
            of_request(environ)
        except faults.Fault as fault:
            return faults.from_error(fault).send(environ, start_response)
        return self._app(environ, start_response)


def of_request(environ: "WSGIEnvironment") -> RequestContext:
    """Return the context of a request; the first call makes it.

    :raises Fault: 401 if the request carries no identity
    """
    context = environ.get(_CONTEXT)
    if context is None:
        if (
            not environ.get("HTTP_X_USER_ID")
            or environ.get("HTTP_X_IDENTITY_STATUS") == "Invalid"
        ):
            raise faults.Fault(
                401, "The request you have made requires authentication."
            )
        context = RequestContext.from_environ(
            environ, request_id=environ.get(REQUEST_ID)
        )
        environ[_CONTEXT] = context
    return cast("RequestContext", context)
