# SPDX-License-Identifier: Apache-2.0
"""Connections to the displays of servers."""

from typing import Self

from oslo_config import cfg

from console_api import values
from console_api.gateway.brokers.base import Grant
from console_api.net.compute_hosts import ComputeHostOptions, tls_context
from console_api.net.dial import connect, dial
from console_api.net.stream import Stream
from console_api.net.tls import ReloadingContext

#: The protocols that the gateway speaks.
PROTOCOLS = ("vnc", "spice", "serial")

_PROTOCOLS_BY_TYPE = {
    console_type: protocol
    for protocol in PROTOCOLS
    for console_type in values.CONSOLE_TYPES_BY_PROTOCOL[protocol]
}


def protocol_of(console_type: str) -> str | None:
    """Return the protocol of a console type; None if it is not supported."""
    return _PROTOCOLS_BY_TYPE.get(console_type)


class Displays:
    """Connects to the displays of servers."""

    def __init__(
        self,
        options: ComputeHostOptions,
        tls: ReloadingContext,
        timeout: float,
    ) -> None:
        """Use options by compute host.

        :param tls: how certificates of compute hosts are verified
        :param timeout: in seconds, for a connection and its handshake
        """
        self._options = options
        self._tls = tls
        self._timeout = timeout

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Self:
        """Read the options of ``[vnc]`` and ``[gateway]``.

        :raises ConfigurationError: an option is invalid
        """
        return cls(
            ComputeHostOptions.from_conf(conf),
            tls_context(conf),
            conf.gateway.connect_timeout,
        )

    def reload(self, conf: cfg.ConfigOpts) -> None:
        """Read the options again, for connections from now on.

        :raises ConfigurationError: an option is invalid; the others stay
        """
        self._options = ComputeHostOptions.from_conf(conf)

    async def open(self, grant: Grant) -> Stream:
        """Connect to the display of a session.

        :returns: a stream on which a VNC display waits for ClientInit
        :raises DialRefused: the display refuses
        :raises DialError: the display cannot be reached
        """
        target = self._options.target(grant.compute_host, grant)
        tls = self._tls.get()
        if protocol_of(grant.console_type) != "vnc":
            return await connect(target, tls=tls, timeout=self._timeout)
        return await dial(
            target,
            credentials=self._options.credentials(grant.compute_host),
            tls=tls,
            timeout=self._timeout,
        )
