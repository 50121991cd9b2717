# SPDX-License-Identifier: Apache-2.0
"""The request context: the caller as the authentication identified it."""

import functools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

from oslo_context.context import RequestContext

from console_api.api import faults
from console_api.api.middleware.request_log import (
    GLOBAL_REQUEST_ID,
    REQUEST_ID,
)

if TYPE_CHECKING:
    from wsgiref.types import (
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

_CONTEXT = "console_api.context"

# The identity that keystonemiddleware sets. Not the token: nothing after
# authentication needs it.
_HEADERS = (
    "HTTP_X_USER_ID",
    "HTTP_X_PROJECT_ID",
    "HTTP_X_ROLES",
    "HTTP_X_USER_NAME",
    "HTTP_X_PROJECT_NAME",
    "HTTP_X_USER_DOMAIN_ID",
    "HTTP_X_USER_DOMAIN_NAME",
    "HTTP_X_PROJECT_DOMAIN_ID",
    "HTTP_X_PROJECT_DOMAIN_NAME",
    "HTTP_X_DOMAIN_ID",
    "HTTP_X_DOMAIN_NAME",
    "HTTP_X_IS_ADMIN_PROJECT",
    "HTTP_OPENSTACK_SYSTEM_SCOPE",
    "HTTP_X_SERVICE_USER_ID",
    "HTTP_X_SERVICE_USER_NAME",
    "HTTP_X_SERVICE_USER_DOMAIN_ID",
    "HTTP_X_SERVICE_USER_DOMAIN_NAME",
    "HTTP_X_SERVICE_PROJECT_ID",
    "HTTP_X_SERVICE_PROJECT_NAME",
    "HTTP_X_SERVICE_PROJECT_DOMAIN_ID",
    "HTTP_X_SERVICE_PROJECT_DOMAIN_NAME",
    "HTTP_X_SERVICE_ROLES",
)

# Maximum length of the roles of a cached identity, in characters.  The
# identity service limits the length of everything else.
_MAX_ROLES = 2_048


class ContextFilter:
    """Turns the headers of the authentication filter into a context.

    The authentication filter (keystonemiddleware's, ``noauth2``, or another
    that sets the same headers) must remove such headers from the request of
    the client.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        """Wrap an application."""
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Refuse a request without identity, pass on any other."""
        try:
            # For the log.  As a filter, the other API has set its own.
            of_request(environ).update_store()
        except faults.Fault as fault:
            return faults.from_error(fault).send(environ, start_response)
        return self._app(environ, start_response)


def of_request(environ: "WSGIEnvironment") -> RequestContext:
    """Return the context of a request, created by the first call.

    :raises Fault: 401 if the request carries no identity
    """
    context = environ.get(_CONTEXT)
    if context is None:
        if (
            not environ.get("HTTP_X_USER_ID")
            or environ.get("HTTP_X_IDENTITY_STATUS") == "Invalid"
        ):
            raise faults.Fault(401)
        get = environ.get
        length = len(get("HTTP_X_ROLES", "")) + len(
            get("HTTP_X_SERVICE_ROLES", "")
        )
        parse = _identity if length <= _MAX_ROLES else _identity.__wrapped__
        context = RequestContext.__new__(RequestContext)
        vars(context).update(
            parse(*map(get, _HEADERS)),
            request_id=get(REQUEST_ID),
            global_request_id=get(GLOBAL_REQUEST_ID),
        )
        environ[_CONTEXT] = context
    return cast("RequestContext", context)


@functools.lru_cache(maxsize=1024)
def _identity(*values: str | None) -> Mapping[str, object]:
    """Return the attributes of the context that these headers describe.

    Cached because parsing the headers takes longer than the rest of creating
    a context, and most requests come from a few callers.
    """
    environ = {
        name: value
        for name, value in zip(_HEADERS, values, strict=True)
        if value is not None
    }
    if "HTTP_X_SERVICE_USER_ID" in environ:
        # keystonemiddleware overwrites the caller's system scope with that of
        # the service token; the caller must not gain it.
        environ.pop("HTTP_OPENSTACK_SYSTEM_SCOPE", None)
    return vars(RequestContext.from_environ(environ, overwrite=False))
