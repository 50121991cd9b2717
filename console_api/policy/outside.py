# SPDX-License-Identifier: Apache-2.0
"""Checks that ask other servers, such as ``http:``: bounded."""

import threading
from collections.abc import Callable
from concurrent.futures import Future

# How long, in seconds, a request waits for others to end theirs.
_MAX_WAIT = 0.5


class Overload(Exception):
    """Too many requests wait for other servers."""


class OutsideChecks:
    """Bounds how long, and how many, requests wait for other servers.

    Each decision runs in a thread of its own, because the timeout of a check
    applies to each read, of which there may be many.  The thread counts until
    it ends, even if the request did not wait for it.

    While the servers respond in time, a request waits a moment for others to
    end.  When they do not, it fails at once, so that requests for which no
    server is asked find a free thread of the WSGI server.
    """

    def __init__(self, limit: int, timeout: float) -> None:
        """Create the limits.

        :param limit: maximum number of concurrent decisions
        :param timeout: maximum time of a decision, in seconds
        """
        self._slots = threading.BoundedSemaphore(limit)
        self._timeout = timeout
        self._is_slow = False

    def run(self, decide: Callable[[], bool]) -> bool:
        """Return a decision.

        :raises Overload: too many requests wait for other servers
        :raises TimeoutError: the decision takes too long
        :raises Exception: a check failed
        """
        wait = 0 if self._is_slow else _MAX_WAIT
        if not self._slots.acquire(timeout=wait):
            self._is_slow = True
            raise Overload("too many requests wait for other servers")
        result: Future[bool] = Future()
        thread = threading.Thread(
            target=self._run, args=(decide, result), daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            self._slots.release()
            raise
        try:
            is_allowed = result.result(self._timeout)
        except TimeoutError as error:
            self._is_slow = True
            raise TimeoutError(
                f"no decision after {self._timeout:g} s"
            ) from error
        self._is_slow = False
        return is_allowed

    def _run(self, decide: Callable[[], bool], result: Future[bool]) -> None:
        """Decide, in the thread."""
        try:
            is_allowed = decide()
        except BaseException as error:  # noqa: BLE001 (raised by the request)
            result.set_exception(error)
        else:
            result.set_result(is_allowed)
        finally:
            self._slots.release()
