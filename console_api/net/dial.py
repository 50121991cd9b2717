# SPDX-License-Identifier: Apache-2.0
"""Dialling of a VNC display: TCP, TLS, HTTP CONNECT and the RFB handshake."""

import asyncio
import os
import socket
import ssl
from dataclasses import dataclass

from console_api.net.http_connect import ConnectHandshake
from console_api.net.stream import Stream
from console_api.rfb.endpoint import EndpointHandshake
from console_api.rfb.errors import HandshakeError
from console_api.rfb.handshake import State


class DialError(Exception):
    """A display cannot be reached; the message is a sentence that says why.

    It is meant for operators and contains no password.
    """


class DialRefused(DialError):
    """The display refuses, or does not speak RFB: a retry is pointless."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a display is and how to connect to it.

    ``is_tls`` means TLS from the first byte; without it, TLS is used if the
    display asks for it (VeNCrypt).  ``path`` is the path of an HTTP CONNECT
    request to send first, if any.
    """

    host: str
    port: int
    compute_host: str | None = None
    is_tls: bool = False
    path: str | None = None

    @property
    def address(self) -> str:
        """Host and port as people write them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        """Return what identifies the display in messages."""
        if self.compute_host is None:
            return self.address
        return f"{self.address} on {self.compute_host}"


async def dial(
    target: Target,
    *,
    password: str | None,
    tls: ssl.SSLContext,
    timeout: float,  # noqa: ASYNC109 (part of the contract)
) -> Stream:
    """Connect to a display and authenticate.

    :param password: the VNC password of the display, if it is known
    :param tls: how certificates are verified; they have to name the host
    :param timeout: in seconds, for everything together
    :returns: a stream on which the display waits for ClientInit (RFC 6143,
        section 7.3.1)
    :raises DialRefused: the display refuses
    :raises DialError: the display cannot be reached
    """
    try:
        async with asyncio.timeout(timeout):
            return await _dial(target, password, tls)
    except TimeoutError as error:
        raise DialError(
            f"{target}: The display did not answer in time."
        ) from error
    except HandshakeError as error:
        raise DialRefused(f"{target}: {error}") from error
    except OSError as error:
        raise DialError(
            f"{target}: The connection failed: {_reason(error)}."
        ) from error
    except ValueError as error:
        # A name that cannot be looked up, or be part of a certificate.
        raise DialError(
            f"{target}: The host of the endpoint is not a valid name: {error}"
        ) from error


def _reason(error: OSError) -> str:
    """Return the reason of an error without numbers and Python's wording."""
    if isinstance(error, ssl.SSLError | socket.gaierror) or not error.errno:
        return error.strerror or str(error)
    return os.strerror(error.errno)


async def _dial(
    target: Target, password: str | None, tls: ssl.SSLContext
) -> Stream:
    stream = await Stream.connect(
        target.host, target.port, tls if target.is_tls else None
    )
    try:
        if target.path is not None:
            await stream.perform(
                ConnectHandshake(target.host, target.port, target.path)
            )
        handshake = EndpointHandshake(password, tls=not target.is_tls)
        await stream.perform(handshake)
        if handshake.state is State.START_TLS:
            await stream.start_tls(tls, target.host)
            handshake.tls_started()
            await stream.perform(handshake)
    except BaseException:
        stream.close()
        raise
    return stream
