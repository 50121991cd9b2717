# SPDX-License-Identifier: Apache-2.0
"""Requests to the API behind the filter, in the name of a caller."""

import io
from typing import TYPE_CHECKING

import webob

from console_api.directory.nova import responses

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

# Keys that describe the original request, not its caller.
_NOT_THE_CALLER = (
    "CONTENT_LENGTH",
    "CONTENT_TYPE",
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_CONTENT_LENGTH",
    "HTTP_CONTENT_TYPE",
    "HTTP_IF_",
    "HTTP_OPENSTACK_API_VERSION",
    "HTTP_RANGE",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_X_OPENSTACK_NOVA_API_VERSION",
    "console_api.",
    "routes.",
    "webob.",
    "wsgi.input",
    "wsgiorg.",
)


def get(
    environ: "WSGIEnvironment", app: "WSGIApplication", path: str
) -> tuple[int, bytes]:
    """Send a GET request with the lowest microversion.

    :param environ: of a request of the same caller
    :param path: below the API's root
    :returns: status and body of the response
    :raises DirectoryUnavailable: the application raised an exception
    """
    inner = {
        key: value
        for key, value in environ.items()
        if not key.startswith(_NOT_THE_CALLER)
    }
    inner.update(
        {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "HTTP_ACCEPT": "application/json",
            "wsgi.input": io.BytesIO(),
        }
    )
    try:
        response = webob.Request(inner).send(app)
        body = response.body
    except Exception as error:
        raise responses.unavailable(f"it raises {error!r:.200}") from error
    return response.status_int, body
