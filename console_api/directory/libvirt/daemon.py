# SPDX-License-Identifier: Apache-2.0
"""One libvirt daemon, asked so that nobody waits for it for long."""

import enum
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

# Questions that may be under way at once: if so many have no answer, the
# daemon hangs, and the next one is answered without asking.
_MOST_QUESTIONS = 8

# Seconds without a word until a message is sent to see whether it lives, and
# how many of them may go unanswered.
_KEEPALIVE = (5, 3)


class State(enum.IntEnum):
    """How alive a domain is; the greatest one is where its server is."""

    DEFINED = 0
    #: Paused, or on its way to another host.
    ACTIVE = 1
    RUNNING = 2


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain as one daemon describes it."""

    xml: str
    state: State


class Daemon:
    """A libvirt daemon; safe for threads.

    A call to libvirt cannot be broken off, so each is made by a thread of its
    own that nobody has to wait for, not even the end of the process.
    """

    def __init__(self, libvirt: Any, compute_host: str, uri: str) -> None:
        """Prepare; nothing is connected yet.

        :param libvirt: the module, whose event loop runs
        """
        self.compute_host = compute_host
        self._uri = uri
        self._libvirt = libvirt
        self._free = threading.BoundedSemaphore(_MOST_QUESTIONS)
        self._connecting = threading.Lock()
        self._connection: Any = None

    def look_up(self, uuid: str) -> "Future[Domain | None]":
        """Begin to look a domain up.

        :returns: the domain, or None if there is none; or an exception
        """
        future: Future[Domain | None] = Future()
        if not self._free.acquire(blocking=False):
            future.set_exception(TimeoutError("it answers nobody"))
            return future

        def run() -> None:
            try:
                _settle(future, lambda: self._look_up(uuid))
            finally:
                self._free.release()

        threading.Thread(target=run, name="libvirt", daemon=True).start()
        return future

    def _look_up(self, uuid: str) -> Domain | None:
        libvirt = self._libvirt
        try:
            found = self._connected().lookupByUUIDString(uuid)
            xml = found.XMLDesc(0)
            state, _reason = found.state()
            active = found.isActive()
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return None
            raise
        if state == libvirt.VIR_DOMAIN_RUNNING:
            return Domain(xml, State.RUNNING)
        return Domain(xml, State.ACTIVE if active else State.DEFINED)

    def _connected(self) -> Any:
        with self._connecting:
            if self._connection is None or not self._connection.isAlive():
                self._connection = self._libvirt.openReadOnly(self._uri)
                try:
                    self._connection.setKeepAlive(*_KEEPALIVE)
                except self._libvirt.libvirtError:
                    # Drivers without a daemon, as `test`, have no need of it.
                    return self._connection
            return self._connection


def _settle(
    future: "Future[Domain | None]", work: Callable[[], Domain | None]
) -> None:
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 (who asked is told)
        future.set_exception(error)
    else:
        future.set_result(result)
