# SPDX-License-Identifier: Apache-2.0
"""Audit events: what happened to a console auth token or a session."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class Kind(enum.Enum):
    """What happened: its type on the bus, action in CADF, and words."""

    event_type: str
    action: str
    text: str

    ISSUE = (
        "console.token.issue",
        "create/console_auth_token",
        "Issued a console auth token",
    )
    OPEN = (
        "console.session.open",
        "start/console_session",
        "Opened a session",
    )
    REFUSE = (
        "console.session.refuse",
        "deny/console_session",
        "Refused a session",
    )
    CLOSE = (
        "console.session.close",
        "stop/console_session",
        "Closed a session",
    )
    CUT = (
        "console.session.cut",
        "revoke/console_session",
        "Cut a session",
    )

    def __init__(self, event_type: str, action: str, text: str) -> None:
        """Name the parts."""
        self.event_type = event_type
        self.action = action
        self.text = text


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    ``user_id`` is who did it: the user to whom the token was issued, or who
    cut the session; None if unknown.  ``details`` are further values for the
    log and the event, without secrets; None is left out.
    """

    kind: Kind
    user_id: str | None = None
    project_id: str | None = None
    server_id: str | None = None
    client_address: str | None = None
    proxy_address: str | None = None
    reason: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    def values(self) -> dict[str, object]:
        """Return what is known, by name."""
        known = {
            "user_id": self.user_id,
            "project_id": self.project_id,
            "server_id": self.server_id,
            "client_address": self.client_address,
            "proxy_address": self.proxy_address,
            "reason": self.reason,
            **self.details,
        }
        return {
            name: value for name, value in known.items() if value is not None
        }

    def line(self) -> str:
        """Return the event in one line for the log."""
        values = ", ".join(
            f"{name}={value}" for name, value in self.values().items()
        )
        return f"{self.kind.text}: {values}"
