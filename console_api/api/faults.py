# SPDX-License-Identifier: Apache-2.0
"""Faults: error replies in the compute API's form.

``{"<key>": {"code": <status>, "message": "<text>"}}``, with keys as measured
on Nova 34.0.0.
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

# The one table from domain errors to replies; the first match counts.
_STATUS_OF_ERROR: Sequence[tuple[type[errors.ConsoleAPIError], int]] = (
    (errors.InvalidInput, 400),
    (errors.TokenTypeNotAccessible, 401),
    (errors.Forbidden, 403),
    (errors.ProjectScopeRequired, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.Unavailable, 503),
)

# What is refused without more to say than the status does, in words that help;
# 503 is what keystonemiddleware answers.
_MESSAGES = {
    401: "The request you have made requires authentication.",
    404: "The resource could not be found.",
    411: "This server cannot read a body in chunks. Send its Content-Length.",
    413: "Request is too large.",
    503: "The identity service does not answer. Try again in a few seconds.",
}

# Seconds after which a client may try again when one of these is
# away.
RETRY_AFTER = 5
_TRY_AGAIN = ("Retry-After", str(RETRY_AFTER))


class Fault(Exception):
    """A refusal decided by the API itself, before the domain is asked."""

    def __init__(
        self, status: int, message: str = "", headers: Sequence[Header] = ()
    ) -> None:
        """Give the HTTP status, the text for the client and more headers.

        Without a text, the one that goes with the status is taken.
        """
        super().__init__(message or _message(status))
        self.status = status
        self.headers = headers


def render(
    status: int, message: str, headers: Sequence[Header] = ()
) -> Response:
    """Make the reply of a fault."""
    key = _KEYS.get(status, _OTHER_KEY)
    body = {key: {"code": status, "message": message}}
    return Response(status, json.dumps(body).encode(), headers)


def from_status(status: int, headers: Sequence[Header] = ()) -> Response:
    """Make a fault for a status alone, with the text that goes with it."""
    if status == 503:
        headers = [*headers, _TRY_AGAIN]
    return render(status, _message(status), headers)


def method_not_allowed(allowed: str) -> Fault:
    """Make the fault for a method that a path does not take.

    :param allowed: those that it takes, as the Allow header has them
    """
    return Fault(
        405,
        f"The method is not allowed here. Use one of: {allowed}.",
        [("Allow", allowed)],
    )


def _message(status: int) -> str:
    return _MESSAGES.get(status) or http.client.responses.get(status, "")


def from_error(error: Exception) -> Response:
    """Make the reply to an error; an unexpected one is logged in full."""
    if isinstance(error, Fault):
        return render(error.status, str(error), error.headers)
    for known, status in _STATUS_OF_ERROR:
        if isinstance(error, known):
            return _from_known(error, status)
    LOG.error("Unexpected error", exc_info=error)
    return render(
        500,
        "An unexpected error occurred. Give the request id of this reply to "
        "the operator of the service.",
    )


def _from_known(error: errors.ConsoleAPIError, status: int) -> Response:
    if isinstance(error, errors.DatabaseUnavailable):
        LOG.error("The database does not answer: %s", error.__cause__)
    if isinstance(
        error, errors.DatabaseUnavailable | errors.DirectoryUnavailable
    ):
        return render(status, str(error), [_TRY_AGAIN])
    return render(status, str(error))
