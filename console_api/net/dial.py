# SPDX-License-Identifier: Apache-2.0
"""Dialling of a VNC display: TCP, TLS, HTTP CONNECT and the RFB handshake."""

import asyncio
import contextlib
import os
import re
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

from console_api.net.http_connect import ConnectHandshake
from console_api.net.stream import Stream
from console_api.rfb.endpoint import (
    Credentials,
    EndpointHandshake,
    NoTLSError,
    TLSUse,
)
from console_api.rfb.errors import HandshakeError
from console_api.rfb.handshake import State

_ERRNO = re.compile(r"\[Errno ([0-9]+)\]")


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
    display asks for it (VeNCrypt), and has to be if ``is_tls_required``.
    ``tls_name`` is the name that the certificate has to contain, by default
    the host.  ``path`` is the path of an HTTP CONNECT request to send first,
    if any.
    """

    host: str
    port: int
    compute_host: str | None = None
    is_tls: bool = False
    is_tls_required: bool = False
    tls_name: str | None = None
    path: str | None = None

    @property
    def tls_use(self) -> TLSUse:
        """Whether the RFB handshake starts TLS."""
        if self.is_tls:
            return TLSUse.NEVER
        return TLSUse.REQUIRED if self.is_tls_required else TLSUse.OPTIONAL

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
    credentials: Credentials,
    tls: ssl.SSLContext,
    timeout: float,  # noqa: ASYNC109 (part of the contract)
) -> Stream:
    """Connect to a display and authenticate.

    :param tls: how certificates are verified
    :param timeout: in seconds, for everything together
    :returns: a stream on which the display waits for ClientInit (RFC 6143,
        section 7.3.1)
    :raises DialRefused: the display refuses
    :raises DialError: the display cannot be reached
    """
    async with _attempt(target, timeout):
        return await _dial(target, credentials, tls)


async def connect(
    target: Target,
    *,
    tls: ssl.SSLContext,
    timeout: float,  # noqa: ASYNC109 (part of the contract)
) -> Stream:
    """Connect to an endpoint that does not speak RFB.

    :param tls: how certificates are verified
    :param timeout: in seconds, for everything together
    :raises DialRefused: the endpoint refuses the path
    :raises DialError: the endpoint cannot be reached
    """
    async with _attempt(target, timeout):
        return await _connect(target, tls)


@contextlib.asynccontextmanager
async def _attempt(
    target: Target,
    timeout: float,  # noqa: ASYNC109 (as above)
) -> AsyncIterator[None]:
    """Limit the time of an attempt, and word its errors."""
    try:
        async with asyncio.timeout(timeout):
            yield
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
    if isinstance(error, ssl.SSLError | socket.gaierror):
        return error.strerror or str(error)
    # An error of several addresses has the numbers only in its text.
    numbers = [error.errno] if error.errno else _ERRNO.findall(str(error))
    reasons = dict.fromkeys(os.strerror(int(number)) for number in numbers)
    return ", ".join(reasons) or str(error)


async def _dial(
    target: Target, credentials: Credentials, tls: ssl.SSLContext
) -> Stream:
    try:
        return await _authenticate(target, credentials, tls, target.tls_use)
    except NoTLSError:
        # What VeNCrypt offers is known only after it has been chosen.
        return await _authenticate(target, credentials, tls, TLSUse.NEVER)


async def _authenticate(
    target: Target,
    credentials: Credentials,
    tls: ssl.SSLContext,
    tls_use: TLSUse,
) -> Stream:
    if tls_use is TLSUse.REQUIRED and target.path is not None:
        # The path may contain a secret, and precedes the RFB handshake.
        raise HandshakeError(
            "TLS is required for its compute host ([vnc] "
            "endpoint_tls_required), but the endpoint has an internal access "
            "path and no TLS port."
        )
    stream = await _connect(target, tls)
    try:
        handshake = EndpointHandshake(credentials, tls_use)
        await stream.perform(handshake)
        if handshake.state is State.START_TLS:
            await stream.start_tls(tls, target.tls_name or target.host)
            handshake.tls_started()
            await stream.perform(handshake)
    except BaseException:
        stream.close()
        raise
    return stream


async def _connect(target: Target, tls: ssl.SSLContext) -> Stream:
    stream = await Stream.connect(
        target.host,
        target.port,
        tls if target.is_tls else None,
        (target.tls_name or target.host) if target.is_tls else None,
    )
    try:
        if target.path is not None:
            await stream.perform(
                ConnectHandshake(target.host, target.port, target.path)
            )
    except BaseException:
        stream.close()
        raise
    return stream
