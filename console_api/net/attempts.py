# SPDX-License-Identifier: Apache-2.0
"""How many wrong passwords a console takes."""

import time
from collections.abc import Callable

# Seconds that the first wrong password is answered late; each further one in
# a row takes twice as long as the one before, up to the longest.
_FIRST_DELAY = 0.25
_LONGEST_DELAY = 8.0


class Attempts:
    """Counts the wrong passwords of one console in a row."""

    def __init__(
        self,
        most: int,
        lockout_time: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Lock for some seconds after the most that are allowed."""
        self._most = most
        self._lockout_time = lockout_time
        self._clock = clock
        self._failed = 0
        self._delay = _FIRST_DELAY
        self._locked_until = 0.0

    def is_locked(self) -> bool:
        """Tell whether not even the right password counts at present."""
        return self._clock() < self._locked_until

    def fail(self) -> float:
        """Count a wrong password.

        :returns: after how many seconds it is to be answered
        """
        self._failed += 1
        delay = self._delay
        self._delay = min(2 * delay, _LONGEST_DELAY)
        if self._failed >= self._most:
            self._reset()
            self._locked_until = self._clock() + self._lockout_time
        return delay

    def succeed(self) -> None:
        """Forget the wrong ones: whoever knows the password is here."""
        self._reset()

    def _reset(self) -> None:
        self._failed = 0
        self._delay = _FIRST_DELAY
