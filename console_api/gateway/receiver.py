# SPDX-License-Identifier: Apache-2.0
"""The contract of what receives the data of browsers."""

from typing import Protocol

from console_api.gateway.close_reasons import CloseReason


class Receiver(Protocol):
    """What receives the data of a browser."""

    def data_received(self, data: bytes) -> None:
        """Process data, which is split arbitrarily."""

    def pause(self) -> None:
        """Send nothing more to the browser until ``resume``."""

    def resume(self) -> None:
        """Continue sending."""

    def browser_closed(self, reason: CloseReason) -> None:
        """Process the end of the connection."""
