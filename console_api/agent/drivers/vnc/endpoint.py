# SPDX-License-Identifier: Apache-2.0
"""The way to the screen of a server, on the compute host where it is now."""

import asyncio
import fnmatch
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from oslo_config import cfg

from console_api import errors
from console_api.directory.base import Directory, Endpoint, Server
from console_api.net.http_connect import ConnectResponse, connect_request
from console_api.net.stream import Stream
from console_api.rfb.endpoint import EndpointHandshake
from console_api.rfb.errors import HandshakeError
from console_api.rfb.handshake import State

# How many servers are looked up at a time.  A look-up cannot be interrupted:
# when its viewer has been refused it takes a thread still, for as long as the
# directory hangs.  Fewer than the connections that a database takes, and more
# than asyncio has threads for on a small machine.
_MOST_LOOKUPS = 32


class ScreenUnreachable(errors.Unavailable):
    """The screen of a server cannot be reached; says why, to an operator."""


class Endpoints:
    """Connects to the VNC endpoints of servers."""

    def __init__(
        self,
        directory: Directory,
        passwords: Sequence[tuple[str, str]],
        tls: ssl.SSLContext,
        connect_timeout: float,
    ) -> None:
        """Look servers up in a directory.

        :param passwords: pattern of compute hosts, and the password there
        """
        self._directory = directory
        self._lookups = ThreadPoolExecutor(_MOST_LOOKUPS, "directory")
        self._passwords = passwords
        self._tls = tls
        self._connect_timeout = connect_timeout

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, directory: Directory) -> Self:
        """Read the options of ``[vnc]``.

        :raises ConfigurationError: one of them cannot be used
        """
        return cls(
            directory,
            [_password(entry) for entry in conf.vnc.endpoint_password],
            _tls_context(conf),
            conf.vnc.connect_timeout,
        )

    async def open(self, server_id: str) -> tuple[Stream, bytes]:
        """Connect to a server's screen, up to the end of the handshake.

        :returns: the stream, on which the server now waits for ClientInit,
            and what it has sent already
        :raises ScreenUnreachable: the server is gone or has no screen, or
            that does not let us in, or not in time
        """
        try:
            async with asyncio.timeout(self._connect_timeout):
                return await self._open(server_id)
        except TimeoutError as error:
            raise ScreenUnreachable(
                f"No answer within {self._connect_timeout} seconds."
            ) from error
        except (OSError, HandshakeError, errors.ConsoleAPIError) as error:
            raise ScreenUnreachable(str(error)) from error
        except ValueError as error:
            # A name that cannot be looked up, or be in a certificate.
            raise ScreenUnreachable(
                f"The host of its endpoint is no name: {error}"
            ) from error

    async def _open(self, server_id: str) -> tuple[Stream, bytes]:
        # Now, and not when the console was made: the server may have moved.
        server, endpoint = await asyncio.get_running_loop().run_in_executor(
            self._lookups, self._find, server_id
        )
        if endpoint is None:
            raise ScreenUnreachable("The server has no VNC endpoint.")
        password = self._password_of(server.compute_host or "")
        stream = await self._connect(endpoint)
        try:
            early = b""
            if endpoint.internal_access_path is not None:
                early = await _pass_http(stream, endpoint)
            handshake = EndpointHandshake(
                password, tls=endpoint.tls_port is None
            )
            return stream, await self._shake_hands(
                stream, handshake, early, endpoint.host
            )
        except BaseException:
            stream.close()
            raise

    def _find(self, server_id: str) -> tuple[Server, Endpoint | None]:
        server = self._directory.get(server_id)
        return server, self._directory.endpoint(server, "vnc")

    async def _connect(self, endpoint: Endpoint) -> Stream:
        if endpoint.tls_port is not None:
            return await Stream.connect(
                endpoint.host, endpoint.tls_port, self._tls
            )
        return await Stream.connect(endpoint.host, endpoint.port)

    async def _shake_hands(
        self,
        stream: Stream,
        handshake: EndpointHandshake,
        early: bytes,
        host: str,
    ) -> bytes:
        data = early or await _receive(stream)
        while True:
            handshake.receive(data)
            stream.write(handshake.data_to_send())
            if handshake.state is State.DONE:
                return handshake.trailing
            if handshake.state is State.START_TLS:
                await stream.start_tls(self._tls, host)
                handshake.tls_started()
            data = await _receive(stream)

    def _password_of(self, compute_host: str) -> str | None:
        for pattern, password in self._passwords:
            if fnmatch.fnmatchcase(compute_host, pattern):
                return password
        return None


async def _pass_http(stream: Stream, endpoint: Endpoint) -> bytes:
    """Have an HTTP server connect us: RFC 9110, section 9.3.6."""
    path = endpoint.internal_access_path or ""
    port = endpoint.tls_port or endpoint.port
    stream.write(connect_request(endpoint.host, port, path))
    response = ConnectResponse()
    while not response.done:
        response.receive(await _receive(stream))
    return response.trailing


async def _receive(stream: Stream) -> bytes:
    data = await stream.receive()
    if not data:
        raise ConnectionResetError("The compute host has hung up.")
    return data


def _password(entry: str) -> tuple[str, str]:
    pattern, _, password = entry.partition(" ")
    if not (pattern and password):
        # Without the entry: it may be a password alone.
        raise errors.ConfigurationError(
            "[vnc] endpoint_password: write a pattern of compute hosts, a "
            "blank and the password."
        )
    return pattern, password


def _tls_context(conf: cfg.ConfigOpts) -> ssl.SSLContext:
    options = conf.vnc
    try:
        context = ssl.create_default_context(cafile=options.tls_ca_file)
        if options.tls_cert_file:
            context.load_cert_chain(
                options.tls_cert_file, options.tls_key_file
            )
    except (OSError, ValueError) as error:
        raise errors.ConfigurationError(
            f"[vnc] A file of tls_ca_file, tls_cert_file or tls_key_file "
            f"cannot be used: {error}"
        ) from error
    return context
