# SPDX-License-Identifier: Apache-2.0
"""The contract of what records sessions, such as audit and metrics."""

from typing import Protocol

from console_api.gateway.brokers.base import Client, Grant, Refused
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.session import Session


class Observer(Protocol):
    """Records what becomes of WebSockets; never waits."""

    def opened(self, session: Session, dial_seconds: float) -> None:
        """Record a session that was opened.

        :param dial_seconds: how long connecting to the display took
        """

    def refused(
        self, client: Client, refusal: Refused, grant: Grant | None
    ) -> None:
        """Record a WebSocket that did not become a session.

        :param grant: what the broker allowed, if it did
        """

    def closed(self, session: Session, reason: CloseReason) -> None:
        """Record that an opened session ended."""
