# SPDX-License-Identifier: Apache-2.0
"""Limits on how many threads wait for something slow at the same time.

A process has few threads.  While a lock in the database is held, or another
service does not respond, requests that wait for it would occupy all of them,
and those that need none of that could not be served.
"""

import collections
import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar, Token
from types import TracebackType
from typing import NoReturn, Optional

from console_api import errors

LOG = logging.getLogger(__name__)

# Seconds to queue for a slot by default.  A burst is served within that time,
# even if each request has to connect to the database.
_MAX_WAIT = 1.0


class Bulkhead:
    """A limited number of slots; safe for threads.

    While all slots are in use, requests queue for a short time.  Once one has
    queued in vain, further ones are refused at once, because the threads that
    would queue are needed for other requests.  That ends with a slot that was
    in use for a shorter time than requests may queue.
    """

    def __init__(
        self,
        purpose: str,
        max_slots: int,
        *,
        max_queue: int | None = None,
        max_wait: float = _MAX_WAIT,
    ) -> None:
        """Create the slots.

        :param purpose: what requests with a slot wait for, for the log
        :param max_queue: how many requests may queue; by default all
        :param max_wait: how long a request may queue, in seconds
        """
        self.max_slots = max_slots
        self._purpose = purpose
        self._max_queue = max_queue
        self._max_wait = max_wait
        self._used = 0
        self._lock = threading.Lock()
        # Each event is set when its request is given a slot.
        self._queue: collections.deque[threading.Event] = collections.deque()
        self._is_stuck = False
        # Refusals since the overload began.  It ends when half of the slots
        # are free, so that the log does not report each change.
        self._refused = 0
        self._overloaded_at = 0.0

    def acquire(self) -> float:
        """Acquire a slot.

        :returns: when, in monotonic time; for ``release``
        :raises Overloaded: all are in use
        """
        with self._lock:
            if self._used < self.max_slots:
                self._used += 1
                return time.monotonic()
            if self._is_stuck or len(self._queue) == self._max_queue:
                self._refuse()
            turn = threading.Event()
            self._queue.append(turn)
        try:
            turn.wait(self._max_wait)
        except BaseException:
            self._leave(turn)
            raise
        with self._lock:
            if not turn.is_set():
                self._queue.remove(turn)
                self._is_stuck = True
                self._refuse()
        return time.monotonic()

    def _leave(self, turn: threading.Event) -> None:
        """Leave the queue after a signal, and pass on the slot, if given."""
        with self._lock:
            if not turn.is_set():
                self._queue.remove(turn)
                return
        self.release(time.monotonic())

    def release(self, acquired_at: float) -> None:
        """Release a slot, or give it to the request that queues longest."""
        with self._lock:
            if time.monotonic() - acquired_at < self._max_wait:
                self._is_stuck = False
            if self._queue:
                self._queue.popleft().set()
                return
            self._used -= 1
            if self._refused and self._used <= self.max_slots // 2:
                LOG.warning(
                    "Requests that wait for %s are accepted again. %d were "
                    "refused within %d s.",
                    self._purpose,
                    self._refused,
                    time.monotonic() - self._overloaded_at,
                )
                self._refused = 0

    @contextlib.contextmanager
    def slot(self) -> Iterator[None]:
        """Acquire a slot for the context; see ``acquire``."""
        acquired_at = self.acquire()
        try:
            yield
        finally:
            self.release(acquired_at)

    def _refuse(self) -> NoReturn:
        if not self._refused:
            self._overloaded_at = time.monotonic()
            LOG.warning(
                "Refusing requests, because %d are waiting for %s.",
                self._used,
                self._purpose,
            )
        self._refused += 1
        raise errors.Overloaded


class RequestSlot:
    """The slot of a request, acquired when it first may have to wait.

    A context manager for the thread that processes the request.
    """

    __slots__ = ("_acquired_at", "_token", "bulkhead")

    _token: Token[Optional["RequestSlot"]]

    def __init__(self, bulkhead: Bulkhead) -> None:
        """Prepare a request; acquires nothing yet."""
        self.bulkhead = bulkhead
        self._acquired_at: float | None = None

    def __enter__(self) -> None:
        """Begin the request."""
        self._token = _current.set(self)

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the request, and release its slot."""
        _current.reset(self._token)
        if self._acquired_at is not None:
            self.bulkhead.release(self._acquired_at)

    def acquire(self) -> None:
        """Acquire the slot, unless the request has it already.

        :raises Overloaded: all slots are in use
        """
        if self._acquired_at is None:
            self._acquired_at = self.bulkhead.acquire()


_current: ContextVar[RequestSlot | None] = ContextVar("slot", default=None)


def acquire_slot() -> None:
    """Acquire the slot of the current request before what may take long.

    Without effect outside of requests, such as in the agent.

    :raises Overloaded: all slots are in use
    """
    slot = _current.get()
    if slot is not None:
        slot.acquire()


def max_slots() -> int | None:
    """Return how many requests may wait, None outside of requests."""
    slot = _current.get()
    return None if slot is None else slot.bulkhead.max_slots
