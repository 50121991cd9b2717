# SPDX-License-Identifier: Apache-2.0
"""Limit of log lines that clients can cause."""

import time


class LogLimit:
    """Logs an event no more than once per interval."""

    __slots__ = ("_count", "_interval", "_silent_until")

    def __init__(self, interval: float) -> None:
        """Log the first event.

        :param interval: in seconds
        """
        self._interval = interval
        self._silent_until = 0.0
        self._count = 0

    def count(self) -> int:
        """Count an event.

        :returns: how many there were since the last line, if another line may
            be logged now; otherwise 0
        """
        self._count += 1
        now = time.monotonic()
        if now < self._silent_until:
            return 0
        self._silent_until = now + self._interval
        count, self._count = self._count, 0
        return count
