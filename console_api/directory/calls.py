# SPDX-License-Identifier: Apache-2.0
"""Calls of libraries that cannot be cancelled."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class AbandonableCalls:
    """Calls in daemon threads of their own, which can be abandoned.

    That is possible even when the process exits.
    """

    def __init__(self, name: str, max_pending: int) -> None:
        """Prepare; starts nothing yet.

        :param name: the name of the threads
        :param max_pending: the maximum number of pending calls, including
            abandoned ones: at the limit, what they wait for is considered
            hung, and further calls fail at once
        """
        self._name = name
        self._slots = threading.BoundedSemaphore(max_pending)

    def start(self, call: Callable[[], T]) -> "Future[T]":
        """Start a call.

        :returns: a future with its result or its exception, TimeoutError if
            there are too many pending calls or threads
        """
        future: Future[T] = Future()
        if not self._slots.acquire(blocking=False):
            future.set_exception(TimeoutError("too many calls are pending"))
            return future

        def run() -> None:
            try:
                _settle(future, call)
            finally:
                self._slots.release()

        try:
            threading.Thread(target=run, name=self._name, daemon=True).start()
        except RuntimeError:
            # The process has reached a limit of threads or memory.
            self._slots.release()
            future.set_exception(TimeoutError("no thread can be started"))
        return future


def _settle(future: "Future[T]", call: Callable[[], T]) -> None:
    try:
        result = call()
    except Exception as error:  # noqa: BLE001 (raised by the future)
        future.set_exception(error)
    else:
        future.set_result(result)
