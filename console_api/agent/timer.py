# SPDX-License-Identifier: Apache-2.0
"""Timers of periodic tasks."""

from collections.abc import Callable


class Timer:
    """Returns when a periodic task is due; the first time at once."""

    def __init__(self, interval: float, clock: Callable[[], float]) -> None:
        """Start with the task being due.

        :param interval: seconds from ``restart`` until the task is due
        :param clock: returns seconds
        """
        self._interval = interval
        self._clock = clock
        self._due_at = 0.0

    def is_due(self) -> bool:
        """Return whether the task is due."""
        return self._clock() >= self._due_at

    def restart(self) -> None:
        """Make the task due after the interval."""
        self._due_at = self._clock() + self._interval
