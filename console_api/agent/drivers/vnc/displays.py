# SPDX-License-Identifier: Apache-2.0
"""Connections to the VNC displays of servers."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from oslo_config import cfg

from console_api import errors
from console_api.bulkhead import Bulkhead, RequestSlot
from console_api.directory.base import Directory
from console_api.net.compute_hosts import ComputeHostOptions, tls_context
from console_api.net.dial import DialError, DialRefused, Target, dial
from console_api.net.stream import Stream
from console_api.net.tls import ReloadingContext

# How many servers are looked up at a time.  A look-up cannot be interrupted:
# it occupies a thread for as long as the directory hangs, even after its
# viewer has been refused.  Fewer than the connections of the database's pool,
# and more than asyncio has threads for on a small machine.
_MAX_LOOKUPS = 32


@dataclass(frozen=True, slots=True)
class Display:
    """A connection to the display of a server.

    ``stream`` is one on which the display waits for ClientInit; ``address``
    is the host and port of the endpoint as people write them.
    """

    stream: Stream
    compute_host: str | None
    address: str


class Displays:
    """Connects to the VNC displays of servers."""

    def __init__(
        self,
        directory: Directory,
        options: ComputeHostOptions,
        tls: ReloadingContext,
        connect_timeout: float,
    ) -> None:
        """Look servers up in a directory.

        :param tls: how certificates of compute hosts are verified
        :param connect_timeout: in seconds, for look-up and connection
        """
        self._directory = directory
        self._lookups = ThreadPoolExecutor(_MAX_LOOKUPS, "directory")
        # No more than there are threads, but a hung compute host gets a part.
        self._bulkhead = Bulkhead("the directory", _MAX_LOOKUPS)
        self._options = options
        self._tls = tls
        self._connect_timeout = connect_timeout

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, directory: Directory) -> Self:
        """Read the options of ``[vnc]``.

        :raises ConfigurationError: an option is invalid
        """
        return cls(
            directory,
            ComputeHostOptions.from_conf(conf),
            tls_context(conf),
            conf.vnc.connect_timeout,
        )

    async def open(self, server_id: str) -> Display:
        """Connect to the display of a server.

        :raises DialRefused: the server does not exist, or its display refuses
        :raises DialError: the server has no VNC endpoint, or its display
            cannot be reached; the message names compute host and endpoint
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._connect_timeout
        try:
            async with asyncio.timeout_at(deadline):
                # The server may have moved since its console was created.
                target = await loop.run_in_executor(
                    self._lookups, self._look_up, server_id
                )
        except TimeoutError as error:
            raise DialError("The directory did not answer in time.") from error
        except errors.ServerNotFound as error:
            raise DialRefused(str(error)) from error
        except errors.ConsoleAPIError as error:
            raise DialError(str(error)) from error
        stream = await dial(
            target,
            credentials=self._options.credentials(target.compute_host),
            tls=self._tls.get(),
            timeout=deadline - loop.time(),
        )
        return Display(stream, target.compute_host, target.address)

    def _look_up(self, server_id: str) -> Target:
        with RequestSlot(self._bulkhead):
            server = self._directory.get(server_id)
            endpoint = self._directory.endpoint(server, "vnc")
        if endpoint is None:
            raise errors.NotFound("The server has no VNC endpoint.")
        return self._options.target(server.compute_host, endpoint)
