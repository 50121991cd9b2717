# SPDX-License-Identifier: Apache-2.0
"""How much a session transferred."""


class Counters:
    """How many bytes were received from the browser and sent to it."""

    __slots__ = ("received", "sent")

    def __init__(self) -> None:
        """Start at zero."""
        self.received = 0
        self.sent = 0
