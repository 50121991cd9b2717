# SPDX-License-Identifier: Apache-2.0
"""Comparison of the clocks of this host and of the database server."""

import logging
import time
from collections.abc import Callable

LOG = logging.getLogger(__name__)

# Seconds by which clocks may differ.
_TOLERANCE = 5


class ClockComparison:
    """Warns while the clocks differ, once per difference."""

    def __init__(self, read: Callable[[], int]) -> None:
        """Prepare the comparison.

        :param read: returns the time at the server, in seconds since the
            epoch
        """
        self._read = read
        self._differs = False

    def run(self) -> None:
        """Compare the clocks.

        :raises DatabaseUnavailable: the database does not answer
        """
        difference = self._difference()
        differs = abs(difference) > _TOLERANCE
        if differs and not self._differs:
            LOG.warning(
                "The clock of this host is %d s %s the clock of the database "
                "server. The time of the last heartbeat is that of the "
                "database server. Synchronize the clocks, for example with "
                "chrony: console auth tokens expire by the clocks of the API.",
                abs(difference),
                "behind" if difference > 0 else "ahead of",
            )
        elif self._differs and not differs:
            LOG.warning("The clock of this host is correct again.")
        self._differs = differs

    def _difference(self) -> float:
        """Return how far this host is behind, in seconds.

        The read takes time, during which the server may have looked at its
        clock at any moment, and it returns whole seconds.
        """
        earliest = time.time()
        found = self._read()
        latest = time.time()
        if found > latest:
            return found - latest
        return min(0, found + 1 - earliest)
