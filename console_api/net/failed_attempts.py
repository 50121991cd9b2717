# SPDX-License-Identifier: Apache-2.0
"""Wrong passwords of addresses."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

# Seconds from a wrong password until the next one of the same address is
# checked: the delay doubles with each consecutive one, up to the maximum.
_FIRST_DELAY = 0.25
_MAX_DELAY = 8.0

# How many addresses are remembered, each for one console: about 10 MB.
_MAX_ADDRESSES = 20_000

# For how many seconds an address is remembered after its last attempt and the
# lockout that may follow.
_LIFETIME = 3600.0


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """Limits of wrong passwords.

    :param max_failed_attempts: how many consecutive ones lock an address out
    :param lockout_time: for how many seconds
    :param clock: returns seconds
    """

    max_failed_attempts: int
    lockout_time: float
    clock: Callable[[], float] = time.monotonic


class FailedAttempts:
    """Counts consecutive wrong passwords of one address at one console."""

    __slots__ = (
        "_checked_from",
        "_count",
        "_delay",
        "_limits",
        "_locked_until",
        "has_failed",
        "lock",
    )

    def __init__(self, limits: AttemptLimits) -> None:
        """Start without failed attempts."""
        #: Held by the attempt whose turn it is among those of the address.
        self.lock = asyncio.Lock()
        #: Whether the last password was wrong.
        self.has_failed = False
        self._limits = limits
        self._checked_from = 0.0
        self._locked_until = 0.0
        self._count = 0
        self._delay = _FIRST_DELAY

    @property
    def is_locked(self) -> bool:
        """Whether even the correct password is refused now."""
        return self._limits.clock() < self._locked_until

    @property
    def delay(self) -> float:
        """In how many seconds the next password may be checked."""
        return max(0.0, self._checked_from - self._limits.clock())

    def fail(self) -> None:
        """Record a wrong password."""
        self.has_failed = True
        self._count += 1
        self._checked_from = self._limits.clock() + self._delay
        self._delay = min(2 * self._delay, _MAX_DELAY)
        if self._count >= self._limits.max_failed_attempts:
            self._reset()
            self._locked_until = (
                self._limits.clock() + self._limits.lockout_time
            )

    def succeed(self) -> None:
        """Record the correct password, and forget the wrong ones."""
        self.has_failed = False
        self._reset()

    def _reset(self) -> None:
        self._count = 0
        self._delay = _FIRST_DELAY


class AttemptHistory:
    """The attempts at all consoles of an agent, by console and address.

    Addresses without an attempt for an hour after a lockout are forgotten, and
    if there are too many, those without one for the longest time.
    """

    def __init__(
        self, limits: AttemptLimits, max_addresses: int = _MAX_ADDRESSES
    ) -> None:
        """Start without addresses.

        :param max_addresses: how many to remember, each for one console
        """
        self._limits = limits
        self._lifetime = limits.lockout_time + _LIFETIME
        self._max_addresses = max_addresses
        # With the time of the last attempt; the latest comes last.
        self._attempts: OrderedDict[
            tuple[int, str], tuple[float, FailedAttempts]
        ] = OrderedDict()

    def is_locked(self, console_id: int, address: str) -> bool:
        """Return whether a console refuses an address now."""
        entry = self._attempts.get((console_id, address))
        return entry is not None and entry[1].is_locked

    def get(self, console_id: int, address: str) -> FailedAttempts:
        """Return the failed attempts of an address that makes another one."""
        now = self._limits.clock()
        key = (console_id, address)
        _, attempts = self._attempts.pop(
            key, (now, FailedAttempts(self._limits))
        )
        self._attempts[key] = (now, attempts)
        while self._is_oldest_obsolete(now):
            self._attempts.popitem(last=False)
        return attempts

    def _is_oldest_obsolete(self, now: float) -> bool:
        used_at, _ = next(iter(self._attempts.values()))
        return (
            len(self._attempts) > self._max_addresses
            or used_at < now - self._lifetime
        )
