# SPDX-License-Identifier: Apache-2.0
"""What responses of the API mean."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console_api import values
from console_api.gateway.brokers.base import Grant, Refused
from console_api.gateway.close_reasons import MAX_TEXT_LENGTH, CloseReason
from console_api.gateway.service_client import Response

LOG = logging.getLogger(__name__)

#: Seconds after which a page retries, unless the API says when.
RETRY_AFTER = 5

# What may be sent in a cookie.
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,512}")

# Seconds; a century.
_MAX_DURATION = 100 * 366 * 86400

_REASONS = {
    "invalid_token": CloseReason.INVALID_TOKEN,
    "invalid_secret": CloseReason.INVALID_TOKEN,
    "token_used": CloseReason.TOKEN_USED,
    "locked": CloseReason.LOCKED,
    "token_limit": CloseReason.LIMIT_REACHED,
    "user_limit": CloseReason.LIMIT_REACHED,
    "server_limit": CloseReason.LIMIT_REACHED,
    "project_limit": CloseReason.LIMIT_REACHED,
    "gateway_limit": CloseReason.LIMIT_REACHED,
}

_CUT_REASONS = {
    "cut": CloseReason.CUT,
    "revoked": CloseReason.REVOKED,
    "locked": CloseReason.LOCKED,
    "taken_over": CloseReason.TAKEN_OVER,
}

_REFUSALS = frozenset({403, 404, 409, 429})


@dataclass(frozen=True, slots=True)
class Instructions:
    """What a gateway has to do after a heartbeat."""

    report_all: bool
    cut: Sequence[tuple[str, CloseReason]]


def unavailable(retry_after: int | None = None) -> Refused:
    """Return the refusal while the service does not respond.

    :param retry_after: in seconds
    """
    return Refused(
        CloseReason.UNAVAILABLE,
        retry_after=retry_after or RETRY_AFTER,
    )


def fault(response: Response) -> Mapping[str, Any]:
    """Return the fault in a response; it is empty if there is none."""
    for inner in response.document.values():
        if isinstance(inner, dict):
            return inner
    return {}


def refusal(response: Response) -> Refused:
    """Return the refusal in a response that grants no session."""
    found = fault(response)
    label = found.get("reason")
    reason = _REASONS.get(label) if isinstance(label, str) else None
    if reason is None or response.status not in _REFUSALS:
        LOG.error(
            "Cannot open a session: the API responded with status %d: %s",
            response.status,
            values.quoted(found.get("message")),
        )
        return unavailable(response.retry_after)
    return Refused(
        reason,
        _text(found.get("message"), reason),
        label=label,
        retry_after=response.retry_after,
    )


def grant(response: Response, *, has_secret: bool) -> Grant:
    """Return the session in a response.

    :param has_secret: whether a token was sent, so that the secret is there
    :raises ValueError: the document is incomplete or invalid
    """
    document = response.document.get("session")
    if not isinstance(document, dict):
        raise ValueError("there is no session")  # noqa: TRY004 (see Raises)

    def read(name: str, check: Callable[[object], Any]) -> Any:
        if name not in document:
            raise ValueError(f"{name} is missing")
        return values.named(name, check, document[name])

    return Grant(
        session_id=read("id", values.uuid),
        console_type=read("console_type", values.console_type),
        server_id=read("server_id", values.uuid),
        project_id=read("project_id", _or_none(values.text)),
        user_id=read("user_id", _or_none(values.text)),
        compute_host=read("compute_host", _or_none(values.host)),
        host=read("host", values.endpoint_host),
        port=read("port", values.port),
        tls_port=read("tls_port", _or_none(values.port)),
        internal_access_path=read(
            "internal_access_path", _or_none(values.text)
        ),
        view_only=read("view_only", _boolean),
        exclusive=read("exclusive", _boolean),
        max_duration=read("max_duration", _seconds),
        idle_timeout=read("idle_timeout", _seconds),
        resume_timeout=read("resume_timeout", _seconds),
        secret=read("secret", _secret) if has_secret else "",
    )


def instructions(response: Response) -> Instructions:
    """Return the instructions in a response to a heartbeat.

    :raises ValueError: there are none
    """
    document = response.document.get("gateway")
    if response.status != 200 or not isinstance(document, dict):
        raise ValueError(f"status {response.status}")
    report_all, cut = document.get("report_all"), document.get("cut")
    if not isinstance(report_all, bool) or not isinstance(cut, list):
        raise ValueError("the response is invalid")  # noqa: TRY004 (see Raises)
    return Instructions(report_all, [_cut(each) for each in cut])


def _cut(document: object) -> tuple[str, CloseReason]:
    if not isinstance(document, dict):
        raise ValueError("the response is invalid")  # noqa: TRY004 (see Raises)
    session_id = values.named("id", values.uuid, document.get("id"))
    # A later version may have more reasons: cut in any case.
    return session_id, _CUT_REASONS.get(
        str(document.get("reason")), CloseReason.CUT
    )


def _or_none(check: Callable[[object], Any]) -> Callable[[object], Any]:
    return lambda value: None if value is None else check(value)


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 (as above)
    return value


def _seconds(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_DURATION:
        raise ValueError("must be a number of seconds")
    return value


def _secret(value: object) -> str:
    if not isinstance(value, str) or not _SECRET.fullmatch(value):
        raise ValueError("must be a word of URL-safe characters")
    return value


def _text(message: object, reason: CloseReason) -> str:
    """Return a message for the user, which fits into a close frame."""
    try:
        text = values.text(message)
    except ValueError:
        return reason.text
    return text if len(text.encode()) <= MAX_TEXT_LENGTH else reason.text
