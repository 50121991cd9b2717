# SPDX-License-Identifier: Apache-2.0
"""The viewer's side of a handshake with a server's VNC endpoint.

RFC 6143, section 7.1, and VeNCrypt 0.2 as specified by the community's
version of the protocol ("rfbproto", security type 19).
"""

import struct
from collections.abc import Generator
from typing import NoReturn

from console_api.rfb import auth
from console_api.rfb.errors import HandshakeError, printable
from console_api.rfb.handshake import (
    NONE,
    OK,
    VENCRYPT,
    VENCRYPT_VERSION,
    VNC,
    X509_VNC,
    Handshake,
    State,
    Version,
)

# The subtype of VeNCrypt without authentication inside TLS.
_X509_NONE = 260

# A longer reason for a refusal, in bytes, is not read.
_MAX_REASON_LENGTH = 1024

_NO_CREDENTIALS = (
    "The display requires a VNC password, and none is configured for its "
    "compute host."
)


class EndpointHandshake(Handshake):
    """Connects to the VNC display of a server."""

    def __init__(self, password: str | None, *, tls: bool = False) -> None:
        """Wait for the version of the display.

        :param password: the VNC password of the display, if it is known
        :param tls: whether the caller can start TLS on request
        """
        self._password = password
        self._tls = tls
        self._version = Version.V8
        super().__init__()

    def _steps(self) -> Generator[State, None, None]:
        yield from self._negotiate_version()
        if self._version is Version.V3:
            security = yield from self._read_security_type()
        else:
            security = yield from self._negotiate_security()
        if security == VENCRYPT:
            security = yield from self._negotiate_vencrypt()
        if security == VNC:
            challenge = yield from self._read_exact(auth.CHALLENGE_LENGTH)
            self._output += auth.respond(self._password or "", challenge)
        if security == VNC or self._version is Version.V8:
            # Without authentication, older versions send no result.
            yield from self._read_result()

    def _negotiate_version(self) -> Generator[State, None, None]:
        major, minor = yield from self._read_version()
        if major < Version.V3:
            raise HandshakeError(f"The display speaks RFB {major}.{minor}.")
        # Servers with other numbers (Apple's 3.889, RealVNC's 4.1) speak 3.8
        # as well; a minor version in between stands for the one before it.
        if major == Version.V3 and minor < Version.V8:
            self._version = Version.V7 if minor == Version.V7 else Version.V3
        self._output += self._version.message

    def _read_security_type(self) -> Generator[State, None, int]:
        """Accept the server's choice: section 7.1.2 of the protocol 3.3."""
        chosen = yield from self._read_integer(4)
        if chosen == 0:
            yield from self._read_refusal()
        if chosen not in (NONE, VNC):
            raise HandshakeError(
                f"The display requires security type {chosen}."
            )
        if chosen == VNC and self._password is None:
            raise HandshakeError(_NO_CREDENTIALS)
        return chosen

    def _negotiate_security(self) -> Generator[State, None, int]:
        count = yield from self._read_integer(1)
        if count == 0:
            yield from self._read_refusal()
        chosen = self._choose((yield from self._read_exact(count)))
        self._output.append(chosen)
        return chosen

    def _choose(self, offered: bytes) -> int:
        if self._tls and VENCRYPT in offered:
            return VENCRYPT
        if self._password is not None and VNC in offered:
            return VNC
        if NONE in offered:
            return NONE
        if VNC in offered:
            raise HandshakeError(_NO_CREDENTIALS)
        raise HandshakeError(
            f"The display offers only security types {[*offered]}."
        )

    def _negotiate_vencrypt(self) -> Generator[State, None, int]:
        """Negotiate a subtype of VeNCrypt and have TLS started.

        :returns: the security type to use inside TLS
        """
        version = yield from self._read_exact(len(VENCRYPT_VERSION))
        if version < VENCRYPT_VERSION:
            raise HandshakeError(
                f"The display speaks VeNCrypt {version[0]}.{version[1]}."
            )
        self._output += VENCRYPT_VERSION
        if (yield from self._read_integer(1)) != 0:
            raise HandshakeError("The display refused VeNCrypt 0.2.")
        count = yield from self._read_integer(1)
        subtypes = yield from self._read_exact(4 * count)
        subtype, security = self._choose_subtype(
            [number for (number,) in struct.iter_unpack(">I", subtypes)]
        )
        self._output += struct.pack(">I", subtype)
        if (yield from self._read_integer(1)) != 1:
            raise HandshakeError("The display refused to start TLS.")
        yield from self._start_tls()
        return security

    def _choose_subtype(self, offered: list[int]) -> tuple[int, int]:
        if self._password is not None and X509_VNC in offered:
            return X509_VNC, VNC
        if _X509_NONE in offered:
            return _X509_NONE, NONE
        if X509_VNC in offered:
            raise HandshakeError(_NO_CREDENTIALS)
        raise HandshakeError(
            f"The display offers only VeNCrypt subtypes {offered}. Configure "
            "a certificate for it."
        )

    def _read_result(self) -> Generator[State, None, None]:
        """Wait for the SecurityResult: section 7.1.3."""
        if (yield from self._read_integer(4)) == OK:
            return
        if self._version is Version.V8:
            yield from self._read_refusal()
        raise HandshakeError("The display refused the connection.")

    def _read_refusal(self) -> Generator[State, None, NoReturn]:
        """Read why the display refuses the connection, and raise that."""
        length = yield from self._read_integer(4)
        if not 0 < length <= _MAX_REASON_LENGTH:
            raise HandshakeError("The display refused the connection.")
        reason = yield from self._read_exact(length)
        raise HandshakeError(
            f"The display refused the connection: {printable(reason)}"
        )
