# SPDX-License-Identifier: Apache-2.0
"""Decides when the passwords that are sent to a console are checked."""

import asyncio
import enum

from console_api.net.failed_attempts import AttemptHistory

# Seconds between two checks in the same lane.
_CHECK_INTERVAL = 0.02


class Verdict(enum.Enum):
    """What became of an attempt to authenticate."""

    #: The password is correct.
    ACCEPTED = enum.auto()
    #: The password is wrong.
    WRONG = enum.auto()
    #: The address has sent too many wrong passwords.
    LOCKED = enum.auto()


class PasswordQueue:
    """The attempts to authenticate at one console.

    Guessing is slowed in two ways, neither of which refuses or delays the
    correct password from an address that has sent no wrong one:

    * Attempts of one address are checked one after another.  The delay before
      the next check grows with each consecutive wrong password, and too many
      of them lock the address out for some time.
    * Attempts of all addresses wait in two lanes: one for addresses whose
      last password was wrong, one for all others.  Each lane checks one
      attempt every 20 ms, in the order in which they came.

    With the default options, an address has at most 10 tries in 100 seconds,
    and all addresses together at most 100 tries a second, 8.64 million a day.
    A password has 62**8 (2.2e14) values: trying all of them takes 69,000
    years, and the chance to guess one within a year is 1 to 69,000, however
    many addresses an attacker has.

    An address that an attacker shares with others, behind the same NAT or in
    the same network of 64 bits, is locked out with them.  If more than 50
    addresses without a wrong password connect every second, others without
    one wait in the same lane: no longer than 20 ms for each connection that
    has not authenticated.
    """

    __slots__ = ("_console_id", "_history", "_lanes")

    def __init__(self, console_id: int, history: AttemptHistory) -> None:
        """Start without attempts.

        :param history: the attempts at all consoles
        """
        self._console_id = console_id
        self._history = history
        # By whether the addresses in it have failed; few consoles need any.
        self._lanes: dict[bool, _Lane] = {}

    def is_locked(self, address: str) -> bool:
        """Return whether even the correct password of an address is refused.

        :param address: what the addresses of one client have in common
        """
        return self._history.is_locked(self._console_id, address)

    async def attempt(self, address: str, *, is_correct: bool) -> Verdict:
        """Wait until an attempt may be answered, and record it.

        :param address: see ``is_locked``
        :param is_correct: whether the password is correct
        """
        attempts = self._history.get(self._console_id, address)
        async with attempts.lock:
            if attempts.is_locked:
                return Verdict.LOCKED
            await asyncio.sleep(attempts.delay)
            has_failed = attempts.has_failed
            await self._lanes.setdefault(has_failed, _Lane()).wait()
            if is_correct:
                attempts.succeed()
                return Verdict.ACCEPTED
            attempts.fail()
            return Verdict.WRONG


class _Lane:
    """Lets attempts pass one after another at a limited rate."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._next_at = 0.0

    async def wait(self) -> None:
        """Wait for a turn; one that is cancelled takes no time of others."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            await asyncio.sleep(max(0.0, self._next_at - loop.time()))
            self._next_at = loop.time() + _CHECK_INTERVAL
