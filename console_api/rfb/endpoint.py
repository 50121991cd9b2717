# SPDX-License-Identifier: Apache-2.0
"""The viewer's side of a handshake with a server's VNC endpoint.

RFC 6143, section 7.1, and VeNCrypt 0.2 as specified by the community's
version of the protocol ("rfbproto", security type 19).
"""

import enum
import struct
from collections.abc import Collection, Generator
from dataclasses import dataclass, field
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

# User name and password: subtype 256 of VeNCrypt, and what is inside the TLS
# of subtype 262.
_PLAIN = 256

# Subtypes of VeNCrypt with certificates that can be verified, best first, and
# the security types inside TLS.  Anonymous TLS (257 to 259) is not used: it
# does not tell a false display from the real one, and OpenSSL has turned the
# cipher suites off that it needs.
_X509_SUBTYPES = {262: _PLAIN, X509_VNC: VNC, 260: NONE}

# Security type 20, and subtypes 263 and 264 of VeNCrypt.
_SASL = {20, 263, 264}

# A longer reason for a refusal, in bytes, is not read.
_MAX_REASON_LENGTH = 1024

_NO_CREDENTIALS = (
    "The display requires a VNC password, and none is configured for its "
    "compute host ([vnc] endpoint_password)."
)
_NO_LOGIN = (
    "The display requires a user name and password, and none are configured "
    "for its compute host ([vnc] endpoint_login)."
)
_UNSUPPORTED_SASL = (
    "The display is configured for SASL, which is not supported; configure a "
    "VNC password or no authentication for it, with a certificate."
)


class TLSUse(enum.Enum):
    """Whether a handshake starts TLS (VeNCrypt)."""

    #: The connection uses TLS already, or the display cannot do it.
    NEVER = enum.auto()
    #: If the display can.
    OPTIONAL = enum.auto()
    #: A display that cannot is refused before a secret is sent to it.
    REQUIRED = enum.auto()


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is known about the authentication to a display.

    ``password`` is a VNC password, and ``login`` a user name with a password
    of any length.
    """

    password: str | None = field(default=None, repr=False)
    login: tuple[str, str] | None = field(default=None, repr=False)

    def suffice_for(self, security: int) -> bool:
        """Return whether they suffice for a security type."""
        if security == VNC:
            return self.password is not None
        if security == _PLAIN:
            return self.login is not None
        return security == NONE


class NoTLSError(HandshakeError):
    """TLS cannot be used, but a connection without it may succeed."""


class EndpointHandshake(Handshake):
    """Connects to the VNC display of a server."""

    def __init__(self, credentials: Credentials, tls: TLSUse) -> None:
        """Wait for the version of the display."""
        self._credentials = credentials
        self._tls = tls
        self._version = Version.V8
        # Whether another connection, without VeNCrypt, may succeed.
        self._has_alternative = False
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
            password = self._credentials.password or ""
            self._output += auth.respond(password, challenge)
        elif security == _PLAIN:
            self._send_login()
        if security != NONE or self._version is Version.V8:
            # Without authentication, older versions send no result.
            yield from self._read_result()

    def _send_login(self) -> None:
        """Send user name and password: security type Plain of VeNCrypt."""
        user_name, password = (
            part.encode() for part in self._credentials.login or ("", "")
        )
        self._output += struct.pack(">II", len(user_name), len(password))
        self._output += user_name + password

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
        if self._tls is TLSUse.REQUIRED or self._select([chosen]) is None:
            raise HandshakeError(self._explain("security type", [chosen]))
        return chosen

    def _negotiate_security(self) -> Generator[State, None, int]:
        count = yield from self._read_integer(1)
        if count == 0:
            yield from self._read_refusal()
        chosen = self._choose((yield from self._read_exact(count)))
        self._output.append(chosen)
        return chosen

    def _choose(self, offered: bytes) -> int:
        selected = self._select(offered)
        if self._tls is not TLSUse.NEVER and VENCRYPT in offered:
            self._has_alternative = (
                self._tls is TLSUse.OPTIONAL and selected is not None
            )
            return VENCRYPT
        if self._tls is TLSUse.REQUIRED or selected is None:
            raise HandshakeError(self._explain("security types", offered))
        return selected

    def _select(self, offered: Collection[int]) -> int | None:
        """Return the best usable type without TLS, None without one."""
        for security in (VNC, NONE):
            if security in offered and self._credentials.suffice_for(security):
                return security
        return None

    def _negotiate_vencrypt(self) -> Generator[State, None, int]:
        """Negotiate a subtype of VeNCrypt, and have TLS started if it is one.

        :returns: the security type that follows
        """
        version = yield from self._read_exact(len(VENCRYPT_VERSION))
        if version < VENCRYPT_VERSION:
            raise self._no_tls(
                f"The display speaks VeNCrypt {version[0]}.{version[1]}."
            )
        self._output += VENCRYPT_VERSION
        if (yield from self._read_integer(1)) != 0:
            raise self._no_tls("The display refused VeNCrypt 0.2.")
        count = yield from self._read_integer(1)
        subtypes = yield from self._read_exact(4 * count)
        subtype, security, is_tls = self._choose_subtype(
            [number for (number,) in struct.iter_unpack(">I", subtypes)]
        )
        self._output += struct.pack(">I", subtype)
        if not is_tls:
            return security
        if (yield from self._read_integer(1)) != 1:
            raise self._no_tls("The display refused to start TLS.")
        yield from self._start_tls()
        return security

    def _choose_subtype(self, offered: list[int]) -> tuple[int, int, bool]:
        """Return a subtype, the type that follows, and whether it is TLS."""
        for subtype, security in _X509_SUBTYPES.items():
            if subtype in offered and self._credentials.suffice_for(security):
                return subtype, security, True
        # TigerVNC offers the types without TLS as subtypes as well.
        selected = self._select(offered)
        if self._tls is TLSUse.REQUIRED or selected is None:
            raise self._no_tls(self._explain("VeNCrypt subtypes", offered))
        return selected, selected, False

    def _no_tls(self, message: str) -> HandshakeError:
        kind = NoTLSError if self._has_alternative else HandshakeError
        return kind(message)

    def _explain(self, kind: str, offered: Collection[int]) -> str:
        """Return why none of the types on offer can be used."""
        inside = {_X509_SUBTYPES.get(number, NONE) for number in offered}
        is_required = self._tls is TLSUse.REQUIRED
        if not _SASL.isdisjoint(offered):
            return _UNSUPPORTED_SASL
        if _PLAIN in inside:
            return _NO_LOGIN
        if VNC in inside or (VNC in offered and not is_required):
            return _NO_CREDENTIALS
        message = f"The display offers only {kind} {[*offered]}."
        if is_required:
            message += (
                " TLS is required for its compute host ([vnc] "
                "endpoint_tls_required); configure a certificate for it."
            )
        elif kind == "VeNCrypt subtypes":
            message += " Configure a certificate for it."
        return message

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
