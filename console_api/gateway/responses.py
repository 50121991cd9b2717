# SPDX-License-Identifier: Apache-2.0
"""Responses that are not files of the page."""

from http import HTTPStatus

from aiohttp import web

from console_api.gateway.brokers.base import Refused
from console_api.gateway.close_reasons import CloseReason

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

# Others are 403.
_STATUSES = {
    CloseReason.INVALID_TOKEN: HTTPStatus.NOT_FOUND,
    CloseReason.TOKEN_USED: HTTPStatus.CONFLICT,
    CloseReason.LIMIT_REACHED: HTTPStatus.TOO_MANY_REQUESTS,
    CloseReason.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}


def plain(
    status: HTTPStatus,
    text: str | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """Return a response with a sentence.

    :param text: by default, the phrase of the status
    """
    return web.Response(
        status=status,
        text=f"{text or status.phrase}\n",
        headers={**_HEADERS, **(headers or {})},
    )


def document(
    content: dict[str, object],
    headers: dict[str, str] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> web.Response:
    """Return a response with a JSON document."""
    return web.json_response(
        content, status=status, headers={**_HEADERS, **(headers or {})}
    )


def refused(
    refusal: Refused, status: HTTPStatus | None = None
) -> web.Response:
    """Return a response that tells the page why a session is refused.

    :param status: by default, that of the refusal's reason
    """
    headers = {}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    return document(
        {
            "reason": refusal.label,
            "code": refusal.reason.code,
            "message": str(refusal),
            "retry_after": refusal.retry_after,
        },
        headers,
        status or _STATUSES.get(refusal.reason, HTTPStatus.FORBIDDEN),
    )
