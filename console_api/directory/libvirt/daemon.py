# SPDX-License-Identifier: Apache-2.0
"""A libvirt daemon, called in threads that can be abandoned."""

import enum
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console_api.directory.calls import AbandonableCalls

if TYPE_CHECKING:
    from concurrent.futures import Future

# Maximum number of pending calls to one daemon: at the limit, it is considered
# hung, and further calls fail at once.
_MAX_PENDING_CALLS = 8

# The interval, in seconds, and the count of libvirt's keepalive messages.
_KEEPALIVE = (5, 3)


class State(enum.IntEnum):
    """State of a domain; the server is where it is the greatest."""

    DEFINED = 0
    #: Paused, or migrating to another host.
    ACTIVE = 1
    RUNNING = 2


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain as described by one daemon."""

    xml: str
    state: State


class Daemon:
    """A libvirt daemon; safe for threads.

    A call to libvirt cannot be cancelled.
    """

    def __init__(self, libvirt: Any, compute_host: str, uri: str) -> None:
        """Prepare; connects when the first domain is looked up.

        :param libvirt: the module ``libvirt``, with its event loop running
        """
        self.compute_host = compute_host
        self._uri = uri
        self._libvirt = libvirt
        self._calls = AbandonableCalls("libvirt", _MAX_PENDING_CALLS)
        self._connecting = threading.Lock()
        self._connection: Any = None

    def look_up(self, uuid: str) -> "Future[Domain | None]":
        """Start to look up a domain.

        :returns: a future with the domain, None if there is no such domain,
            or an exception: TimeoutError if the daemon hangs, or libvirt's
        """
        return self._calls.start(lambda: self._look_up(uuid))

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
                    # Drivers without a daemon do not support it.
                    return self._connection
            return self._connection
