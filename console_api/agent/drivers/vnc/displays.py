# SPDX-License-Identifier: Apache-2.0
"""Connections to the VNC displays of servers."""

import asyncio
import fnmatch
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from oslo_config import cfg

from console_api import errors
from console_api.bulkhead import Bulkhead, RequestSlot
from console_api.directory.base import Directory
from console_api.net.dial import DialError, DialRefused, Target, dial
from console_api.net.stream import Stream
from console_api.net.tls import ReloadingContext, load_certificate

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
        passwords: Sequence[tuple[str, str]],
        tls: ReloadingContext,
        connect_timeout: float,
    ) -> None:
        """Look servers up in a directory.

        :param passwords: shell patterns of compute hosts, and the VNC
            password of the displays there
        :param tls: how certificates of compute hosts are verified
        :param connect_timeout: in seconds, for look-up and connection
        """
        self._directory = directory
        self._lookups = ThreadPoolExecutor(_MAX_LOOKUPS, "directory")
        # No more than there are threads, but a hung compute host gets a part.
        self._bulkhead = Bulkhead("the directory", _MAX_LOOKUPS)
        self._passwords = passwords
        self._tls = tls
        self._connect_timeout = connect_timeout

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, directory: Directory) -> Self:
        """Read the options of ``[vnc]``.

        :raises ConfigurationError: an option is invalid
        """
        return cls(
            directory,
            [_password(entry) for entry in conf.vnc.endpoint_password],
            _tls_context(conf),
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
            password=self._password_of(target.compute_host or ""),
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
        return Target(
            endpoint.host,
            endpoint.tls_port or endpoint.port,
            compute_host=server.compute_host,
            is_tls=endpoint.tls_port is not None,
            path=endpoint.internal_access_path,
        )

    def _password_of(self, compute_host: str) -> str | None:
        for pattern, password in self._passwords:
            if fnmatch.fnmatchcase(compute_host, pattern):
                return password
        return None


def _password(entry: str) -> tuple[str, str]:
    pattern, _, password = entry.partition(" ")
    if not (pattern and password):
        # Without the entry: it may be just a password.
        raise errors.ConfigurationError(
            "[vnc] endpoint_password must be a pattern of compute hosts, a "
            "space and the password."
        )
    return pattern, password


def _tls_context(conf: cfg.ConfigOpts) -> ReloadingContext:
    options = conf.vnc
    ca_file = options.endpoint_tls_ca_file
    certificate_file = options.endpoint_tls_cert_file
    key_file = options.endpoint_tls_key_file

    def create() -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=ca_file)
        if certificate_file:
            load_certificate(context, certificate_file, key_file)
        return context

    # Python reads the bundle of the system if there is no other.
    bundle = ca_file or ssl.get_default_verify_paths().cafile
    return ReloadingContext(
        "[vnc] endpoint_tls_ca_file, endpoint_tls_cert_file or "
        "endpoint_tls_key_file",
        [*filter(None, (bundle, certificate_file, key_file))],
        create,
    )
