# SPDX-License-Identifier: Apache-2.0
"""Limit of failed attempts to authenticate."""

import time
from collections.abc import Callable

# Seconds before a failed attempt is answered: the delay doubles with each
# consecutive one, up to the maximum.
_FIRST_DELAY = 0.25
_MAX_DELAY = 8.0


class FailedAttempts:
    """Counts consecutive wrong passwords for one console."""

    def __init__(
        self,
        limit: int,
        lockout_time: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start without failed attempts.

        :param limit: how many consecutive ones lock the console
        :param lockout_time: for how many seconds
        :param clock: returns seconds
        """
        self._limit = limit
        self._lockout_time = lockout_time
        self._clock = clock
        self._count = 0
        self._delay = _FIRST_DELAY
        self._locked_until = 0.0

    def is_locked(self) -> bool:
        """Return whether even the correct password is refused now."""
        return self._clock() < self._locked_until

    def fail(self) -> float:
        """Record a wrong password.

        :returns: after how many seconds to answer it
        """
        self._count += 1
        delay = self._delay
        self._delay = min(2 * delay, _MAX_DELAY)
        if self._count >= self._limit:
            self._reset()
            self._locked_until = self._clock() + self._lockout_time
        return delay

    def succeed(self) -> None:
        """Record the correct password, and forget the wrong ones."""
        self._reset()

    def _reset(self) -> None:
        self._count = 0
        self._delay = _FIRST_DELAY
