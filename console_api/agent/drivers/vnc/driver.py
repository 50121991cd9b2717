# SPDX-License-Identifier: Apache-2.0
"""Opens and closes the ports of consoles."""

import asyncio
import contextlib
import ipaddress
import os
import socket
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from oslo_config import cfg

from console_api import errors
from console_api.agent.drivers.base import Console, Driver
from console_api.agent.drivers.vnc.displays import Displays
from console_api.agent.drivers.vnc.listener import BACKLOG, Listener
from console_api.agent.drivers.vnc.log_limit import LogLimit
from console_api.agent.drivers.vnc.security import Security
from console_api.agent.drivers.vnc.session import Limits
from console_api.directory.base import Directory
from console_api.net.failed_attempts import AttemptHistory, AttemptLimits
from console_api.net.pending_handshakes import PendingHandshakes

# Seconds until it is logged again that connections cannot be accepted.
_ACCEPT_LOG_INTERVAL = 60.0

# How many ports are opened or closed before sessions run again.
_BATCH = 50


class VNCDriver(Driver):
    """Consoles of the type ``vnc``, served by the agent itself."""

    console_type = "vnc"
    can_hand_over: ClassVar[bool] = True

    def __init__(
        self, conf: cfg.ConfigOpts, displays: Displays, security: Security
    ) -> None:
        """Prepare; ``apply`` opens ports."""
        options = conf.vnc
        self._address = options.listen_address
        self._limits = Limits(
            handshake_timeout=options.handshake_timeout,
            password_timeout=options.password_timeout,
            idle_timeout=options.idle_timeout,
            reconnect_timeout=options.reconnect_timeout,
            max_sessions=options.max_sessions,
            allow_exclusive=options.allow_exclusive,
        )
        self._pending = PendingHandshakes(options.max_handshakes)
        self._history = AttemptHistory(
            AttemptLimits(options.max_failed_attempts, options.lockout_time)
        )
        self._accept_log = LogLimit(_ACCEPT_LOG_INTERVAL)
        self._displays = displays
        self._security = security
        self._listeners: dict[int, Listener] = {}
        # Sockets of a predecessor, by port.
        self._inherited: dict[int, socket.socket] = {}
        self._is_released = False

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, directory: Directory) -> Self:
        """Create the driver; see ``Driver.from_conf``.

        :raises ConfigurationError: an option is invalid
        """
        if conf.agent.multiplex_port is not None:
            raise errors.ConfigurationError(
                "[agent] multiplex_port: the driver vnc needs a port for "
                "each console. Set [agent] ports instead."
            )
        return cls(
            conf,
            Displays.from_conf(conf, directory),
            Security.from_conf(conf),
        )

    async def start(self, sockets: Sequence[socket.socket] = ()) -> None:
        """Take the ports of a predecessor; see ``Driver.start``.

        :raises ConfigurationError: ``listen_address`` has changed, and the
            machine does not have the new one
        """
        others = {one for one in sockets if not self._fits(one)}
        if others:
            # Until now, the predecessor can go on without an interruption.
            self._check_address()
        for inherited in sockets:
            inherited.setblocking(False)
            if inherited in others:
                _abandon(inherited)
            else:
                self._inherited[inherited.getsockname()[1]] = inherited

    async def apply(
        self, consoles: Mapping[int, Console]
    ) -> Mapping[int, str]:
        """Open and close ports; see ``Driver.apply``.

        Ports are closed first, since another console may have one of them.
        """
        for console_id, listener in list(self._listeners.items()):
            wanted = consoles.get(console_id)
            if wanted is not None and _is_same(wanted, listener.console):
                listener.console = wanted
                continue
            del self._listeners[console_id]
            listener.close(
                "the console was deleted or has expired"
                if wanted is None
                else "the console was changed"
            )
            if len(self._listeners) % _BATCH == 0:
                await asyncio.sleep(0)
        if self._is_released:
            return {}
        failed = {}
        missing = consoles.keys() - self._listeners.keys()
        for count, console_id in enumerate(sorted(missing), 1):
            reason = self._open(consoles[console_id])
            if reason is not None:
                failed[console_id] = reason
            if count % _BATCH == 0:
                await asyncio.sleep(0)
        self._abandon_inherited()
        return failed

    async def pause(self) -> Sequence[socket.socket]:
        """Stop accepting viewers; see ``Driver.pause``."""
        return [listener.pause() for listener in self._listeners.values()]

    async def resume(self) -> None:
        """Accept viewers again; see ``Driver.resume``."""
        for listener in self._listeners.values():
            listener.resume()

    async def release(self) -> None:
        """Leave the ports to the successor; see ``Driver.release``."""
        self._is_released = True
        for listener in self._listeners.values():
            listener.release()

    @property
    def session_count(self) -> int:
        """The number of connected viewers; see ``Driver.session_count``."""
        return sum(
            listener.connection_count for listener in self._listeners.values()
        )

    async def close(self) -> None:
        """Close all ports and end all sessions."""
        listeners = list(self._listeners.values())
        while self._inherited:
            self._inherited.popitem()[1].close()
        self._listeners.clear()
        for listener in listeners:
            listener.close("the agent stopped")
        for listener in listeners:
            await listener.wait_closed()

    def _open(self, console: Console) -> str | None:
        """Serve a console; return the reason if that fails."""
        if console.port is None:
            return "The driver vnc needs a port for each console."
        try:
            listening = self._listen(console.port)
        except OSError as error:
            return (
                f"Port {console.port} cannot be opened: "
                f"{os.strerror(error.errno or 0)}. Check with `ss -ltnp` "
                "whether another program uses it."
            )
        self._listeners[console.id] = Listener(
            console,
            listening,
            security=self._security,
            history=self._history,
            open_display=self._displays.open,
            limits=self._limits,
            pending=self._pending,
            accept_log=self._accept_log,
        )
        return None

    def _listen(self, port: int) -> socket.socket:
        inherited = self._inherited.pop(port, None)
        if inherited is not None:
            return inherited
        listening = socket.create_server(
            (self._address or "", port),
            family=self._family,
            backlog=BACKLOG,
            dualstack_ipv6=self._is_dualstack,
        )
        listening.setblocking(False)
        return listening

    @property
    def _is_dualstack(self) -> bool:
        return not self._address and socket.has_dualstack_ipv6()

    @property
    def _family(self) -> socket.AddressFamily:
        is_ipv6 = self._is_dualstack or ":" in (self._address or "")
        return socket.AF_INET6 if is_ipv6 else socket.AF_INET

    def _fits(self, inherited: socket.socket) -> bool:
        """Return whether a socket listens where new ones would."""
        if inherited.family != self._family:
            return False
        if inherited.family == socket.AF_INET6 and self._is_dualstack == bool(
            inherited.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        ):
            return False
        address = ipaddress.ip_address(inherited.getsockname()[0])
        if not self._address:
            return address.is_unspecified
        return address == ipaddress.ip_address(self._address)

    def _check_address(self) -> None:
        try:
            self._listen(0).close()
        except OSError as error:
            raise errors.ConfigurationError(
                f"[vnc] listen_address: {os.strerror(error.errno or 0)}."
            ) from error

    def _abandon_inherited(self) -> None:
        """Close the ports that belong to no console any more."""
        while self._inherited:
            _abandon(self._inherited.popitem()[1])


def _abandon(listening: socket.socket) -> None:
    """Close a port that the predecessor has open, too.

    It opens the port again if it has to resume.
    """
    with contextlib.suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)
    listening.close()


def _is_same(one: Console, other: Console) -> bool:
    """Return whether sessions can continue when a console changes so."""
    return (one.port, one.password, one.server_id) == (
        other.port,
        other.password,
        other.server_id,
    )
