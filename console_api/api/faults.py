# SPDX-License-Identifier: Apache-2.0
"""Faults: error responses in the form of the compute API.

``{"<key>": {"code": <status>, "message": "<text>"}}``, with the keys of
Nova 34.0.0.
"""

import http.client
import json
import logging
from collections.abc import Sequence

from console_api import errors
from console_api.api.response import Header, Response

LOG = logging.getLogger(__name__)

_KEYS = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}

# Every other status.
_OTHER_KEY = "computeFault"

# The one table from domain errors to statuses; the first match counts.
_STATUS_OF_ERROR: Sequence[tuple[type[errors.ConsoleAPIError], int]] = (
    (errors.InvalidInput, 400),
    (errors.TokenTypeNotAccessible, 401),
    (errors.Forbidden, 403),
    (errors.SessionLocked, 403),
    (errors.ProjectScopeRequired, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.SessionLimit, 429),
    (errors.Unavailable, 503),
)

# Default messages by status.  503 is the
# status of keystonemiddleware if it cannot validate a token.
_MESSAGES = {
    401: "The request you have made requires authentication.",
    404: "The resource could not be found.",
    411: "This server cannot read chunked bodies. Send a Content-Length.",
    413: "Request is too large.",
    503: "The identity service is unavailable. Retry the request in a few "
    "seconds.",
}

#: Seconds after which a client should retry when a service is unavailable.
RETRY_AFTER = 5
_RETRY = ("Retry-After", str(RETRY_AFTER))

# Errors after which a client should retry soon.
_PASSING = (
    errors.DatabaseUnavailable,
    errors.DirectoryUnavailable,
    errors.Overloaded,
    errors.PolicyUnavailable,
)


class Fault(Exception):
    """A refusal by the API itself, before the domain is involved."""

    def __init__(
        self, status: int, message: str = "", headers: Sequence[Header] = ()
    ) -> None:
        """Create a fault.

        :param message: for the client; by default the message of the status
        :param headers: in addition to those of every response
        """
        super().__init__(message or _message(status))
        self.status = status
        self.headers = headers


def from_status(status: int, headers: Sequence[Header] = ()) -> Response:
    """Return the fault of a status, with the message of that status."""
    if status == 503:
        headers = [*headers, _RETRY]
    return _render(status, _message(status), headers)


def method_not_allowed(allowed: str) -> Fault:
    """Return the fault for a method that a path does not allow.

    :param allowed: the value of the Allow header
    """
    return Fault(
        405,
        f"Method not allowed. Allowed: {allowed}.",
        [("Allow", allowed)],
    )


def from_error(error: Exception) -> Response:
    """Return the fault that reports an error.

    An unexpected error is logged with its traceback; the client gets none of
    it.
    """
    if isinstance(error, Fault):
        return _render(error.status, str(error), error.headers, type(error))
    for known, status in _STATUS_OF_ERROR:
        if isinstance(error, known):
            return _from_known(error, status)
    LOG.error("Unexpected error", exc_info=error)
    return _render(
        500,
        "An unexpected error occurred. Report the request ID of this response "
        "to the operator of the service.",
    )


def _from_known(error: errors.ConsoleAPIError, status: int) -> Response:
    headers: Sequence[Header] = ()
    if isinstance(error, errors.DatabaseBusy):
        LOG.warning("A write waited too long: %s", error.reason)
    elif isinstance(error, errors.DatabaseUnavailable):
        LOG.error("The database is unavailable: %s", error.reason)
    if isinstance(error, _PASSING):
        headers = [_RETRY]
    reason = None
    if isinstance(error, errors.SessionRefused):
        reason = error.reason
        if error.retry_after is not None:
            headers = [("Retry-After", str(error.retry_after))]
    return _render(status, str(error), headers, type(error), reason)


def _render(
    status: int,
    message: str,
    headers: Sequence[Header] = (),
    error: type[Exception] | None = None,
    reason: str | None = None,
) -> Response:
    key = _KEYS.get(status, _OTHER_KEY)
    fault: dict[str, object] = {"code": status, "message": message}
    if reason is not None:
        fault["reason"] = reason
    body = {key: fault}
    return Response(status, json.dumps(body).encode(), headers, error)


def _message(status: int) -> str:
    return _MESSAGES.get(status) or http.client.responses.get(status, "")
