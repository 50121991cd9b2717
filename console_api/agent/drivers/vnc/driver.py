# SPDX-License-Identifier: Apache-2.0
"""Opens the ports of consoles and closes them."""

import asyncio
import os
import socket
from collections.abc import Mapping
from typing import Self

from oslo_config import cfg

from console_api import errors
from console_api.agent.drivers.base import Console, Driver
from console_api.agent.drivers.vnc.endpoint import Endpoints
from console_api.agent.drivers.vnc.listener import (
    BACKLOG,
    Limits,
    Listener,
    Newcomers,
)
from console_api.directory.base import Directory
from console_api.net.attempts import Attempts

# How many ports are opened or closed before sessions get their turn.
_AT_ONCE = 50


class VNCDriver(Driver):
    """Consoles of the type ``vnc``, served by the agent itself."""

    console_type = "vnc"

    def __init__(self, conf: cfg.ConfigOpts, endpoints: Endpoints) -> None:
        """Prepare; no port is open yet."""
        options = conf.vnc
        self._options = options
        self._address = options.listen_address
        self._limits = Limits(
            handshake_timeout=options.handshake_timeout,
            idle_timeout=options.idle_timeout,
            max_sessions=options.max_sessions,
        )
        self._newcomers = Newcomers(options.max_handshakes)
        self._endpoints = endpoints
        self._listeners: dict[int, Listener] = {}

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, directory: Directory) -> Self:
        """Make the driver.

        :raises ConfigurationError: it cannot work with these options
        """
        if conf.agent.multiplex_port is not None:
            raise errors.ConfigurationError(
                "[agent] multiplex_port: the driver vnc needs a port for "
                "each console. Set [agent] ports instead."
            )
        return cls(conf, Endpoints.from_conf(conf, directory))

    async def apply(
        self, consoles: Mapping[int, Console]
    ) -> Mapping[int, str]:
        """Open and close ports; see ``Driver.apply``.

        Ports are closed first: another console may have got one of them.
        """
        for number, listener in list(self._listeners.items()):
            wanted = consoles.get(number)
            if wanted is not None and _is_same(wanted, listener.console):
                listener.console = wanted
                continue
            del self._listeners[number]
            listener.close()
            if len(self._listeners) % _AT_ONCE == 0:
                await asyncio.sleep(0)
        failed = {}
        missing = consoles.keys() - self._listeners.keys()
        for count, number in enumerate(sorted(missing), 1):
            reason = self._open(consoles[number])
            if reason is not None:
                failed[number] = reason
            if count % _AT_ONCE == 0:
                await asyncio.sleep(0)
        return failed

    async def close(self) -> None:
        """Close all ports and end all sessions."""
        listeners = list(self._listeners.values())
        await self.apply({})
        for listener in listeners:
            await listener.wait_closed()

    def _open(self, console: Console) -> str | None:
        """Serve a console; returns why it cannot be."""
        if console.port is None:
            return "It has no port of its own, which the driver vnc needs."
        try:
            listening = self._listen(console.port)
        except OSError as error:
            return (
                f"Port {console.port} cannot be opened: "
                f"{os.strerror(error.errno or 0)}. Find out with `ss -ltnp` "
                "whether another program has it."
            )
        self._listeners[console.id] = Listener(
            console,
            listening,
            attempts=Attempts(
                self._options.max_failed_attempts, self._options.lockout_time
            ),
            endpoints=self._endpoints,
            limits=self._limits,
            newcomers=self._newcomers,
        )
        return None

    def _listen(self, port: int) -> socket.socket:
        if self._address:
            family = (
                socket.AF_INET6 if ":" in self._address else socket.AF_INET
            )
            listening = socket.create_server(
                (self._address, port), family=family, backlog=BACKLOG
            )
        elif socket.has_dualstack_ipv6():
            listening = socket.create_server(
                ("", port),
                family=socket.AF_INET6,
                dualstack_ipv6=True,
                backlog=BACKLOG,
            )
        else:
            listening = socket.create_server(("", port), backlog=BACKLOG)
        listening.setblocking(False)
        return listening


def _is_same(one: Console, other: Console) -> bool:
    """Tell whether sessions can go on as one console becomes the other."""
    return (one.port, one.password, one.server_id) == (
        other.port,
        other.password,
        other.server_id,
    )
