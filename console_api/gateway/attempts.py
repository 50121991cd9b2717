# SPDX-License-Identifier: Apache-2.0
"""Refused tokens of addresses: who guesses tokens has to wait."""

import contextlib
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator

from console_api.net.addresses import network

# Length of the time in which refusals are counted, in seconds.
_PERIOD = 60.0

# How many addresses are remembered: about 5 MB.
_MAX_ADDRESSES = 20_000


class Attempts:
    """Counts the refused tokens of each address within a minute."""

    def __init__(
        self, limit: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start without addresses.

        :param limit: refused tokens per minute of an address
        :param clock: returns seconds
        """
        self._limit = limit
        self._clock = clock
        # The begin of the minute, and the number of refusals since then.
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()
        # Attempts whose outcome is not known yet: each may be refused.
        self._pending: Counter[str] = Counter()

    def retry_after(self, address: str) -> int | None:
        """Return the seconds that an address has to wait, None if it may try.

        :param address: a numeric address; all those of a network of 64 bits
            count as one with IPv6
        """
        key = network(address)
        begin, count = self._counts.get(key, (0.0, 0))
        left = begin + _PERIOD - self._clock()
        if left <= 0:
            left = count = 0
        if count + self._pending[key] < self._limit:
            return None
        return int(left) + 1

    @contextlib.contextmanager
    def pending(self, address: str) -> Iterator[None]:
        """Count an attempt as a refused one until its outcome is known."""
        key = network(address)
        self._pending[key] += 1
        try:
            yield
        finally:
            self._pending[key] -= 1
            if not self._pending[key]:
                del self._pending[key]

    def record(self, address: str) -> None:
        """Record a refused token of an address."""
        key, now = network(address), self._clock()
        begin, count = self._counts.pop(key, (now, 0))
        if begin + _PERIOD <= now:
            begin, count = now, 0
        self._counts[key] = (begin, count + 1)
        if len(self._counts) > _MAX_ADDRESSES:
            self._counts.popitem(last=False)
