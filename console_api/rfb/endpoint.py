# SPDX-License-Identifier: Apache-2.0
"""The handshake with a server's VNC endpoint, as its viewer.

RFC 6143, section 7.1, and VeNCrypt 0.2 as the community's specification of
the protocol has it ("rfbproto", security type 19).
"""

import enum
import struct

from console_api.rfb import auth
from console_api.rfb.errors import RFBError, printable
from console_api.rfb.handshake import (
    NONE,
    OK,
    VENCRYPT,
    VERSION_LENGTH,
    VNC,
    Handshake,
    Version,
    check_version,
    parse_version,
)

# Subtypes of VeNCrypt whose certificates can be checked.
_X509_NONE = 260
_X509_VNC = 261

_VENCRYPT_VERSION = b"\0\2"

# The longest reason for a refusal that is read.
_LONGEST_REASON = 1024

_NEEDS_ONE = (
    "It asks for a VNC password, and none is configured for its compute host."
)


class EndpointState(enum.Enum):
    """What is awaited, or how it ended."""

    VERSION = enum.auto()
    TYPE = enum.auto()
    TYPE_COUNT = enum.auto()
    TYPES = enum.auto()
    VENCRYPT_VERSION = enum.auto()
    VENCRYPT_AGREED = enum.auto()
    SUBTYPE_COUNT = enum.auto()
    SUBTYPES = enum.auto()
    SUBTYPE_AGREED = enum.auto()
    #: The caller has to start TLS, and then calls ``tls_started``.
    START_TLS = enum.auto()
    CHALLENGE = enum.auto()
    RESULT = enum.auto()
    REASON_LENGTH = enum.auto()
    REASON = enum.auto()
    DONE = enum.auto()


_S = EndpointState

_EXPECTED = {
    _S.VERSION: VERSION_LENGTH,
    _S.TYPE: 4,
    _S.TYPE_COUNT: 1,
    _S.VENCRYPT_VERSION: 2,
    _S.VENCRYPT_AGREED: 1,
    _S.SUBTYPE_COUNT: 1,
    _S.SUBTYPE_AGREED: 1,
    _S.CHALLENGE: auth.CHALLENGE_LENGTH,
    _S.RESULT: 4,
    _S.REASON_LENGTH: 4,
}


class EndpointHandshake(Handshake):
    """Gets into a server's screen."""

    def __init__(self, password: str | None, *, tls: bool = False) -> None:
        """Begin by waiting for the version.

        :param password: the VNC password of the endpoint, if one is known
        :param tls: whether the caller can start TLS when it is asked to
        """
        super().__init__()
        self.state = _S.VERSION
        self._password = password
        self._tls = tls
        self._version = Version.V8
        # Of messages whose length has come before them.
        self._length = 0
        # The VNC security type that is used inside TLS.
        self._inside = NONE

    def tls_started(self) -> None:
        """Go on inside TLS."""
        if self.state is not _S.START_TLS:
            message = f"TLS is not awaited in {self.state}."
            raise RuntimeError(message)
        self._begin(self._inside)

    def receive(self, data: bytes) -> None:
        """Take what the endpoint has sent; see ``Handshake.receive``."""
        if self.state is _S.VERSION:
            check_version(bytes(self._unread) + data)
        super().receive(data)

    def _expected(self) -> int:
        if self.state in (_S.TYPES, _S.SUBTYPES, _S.REASON):
            return self._length
        return _EXPECTED.get(self.state, 0)

    def _take(self, message: bytes) -> None:
        getattr(self, f"_take_{self.state.name.lower()}")(message)

    def _take_version(self, message: bytes) -> None:
        major, minor = parse_version(message)
        if major < Version.V3:
            raise RFBError(f"It speaks RFB {major}.{minor}.")
        # Servers with other numbers (Apple's 3.889, RealVNC's 4.1) speak 3.8
        # as well; a number below that is to be taken for the one before.
        if major > Version.V3 or minor >= Version.V8:
            self._version = Version.V8
        else:
            self._version = Version.V7 if minor == Version.V7 else Version.V3
        self._output += self._version.line
        is_old = self._version is Version.V3
        self.state = _S.TYPE if is_old else _S.TYPE_COUNT

    def _take_type(self, message: bytes) -> None:
        """The server decides: section 7.1.2 of 3.3."""
        [chosen] = struct.unpack(">I", message)
        if chosen == 0:
            self.state = _S.REASON_LENGTH
            return
        if chosen not in (NONE, VNC):
            raise RFBError(f"It asks for security type {chosen}.")
        self._check_password(chosen)
        self._begin(chosen)

    def _take_type_count(self, message: bytes) -> None:
        self._length = message[0]
        self.state = _S.TYPES if self._length else _S.REASON_LENGTH

    def _take_types(self, message: bytes) -> None:
        chosen = self._choose(message)
        self._output.append(chosen)
        if chosen == VENCRYPT:
            self.state = _S.VENCRYPT_VERSION
        else:
            self._begin(chosen)

    def _choose(self, offered: bytes) -> int:
        if self._tls and VENCRYPT in offered:
            return VENCRYPT
        if self._password is not None and VNC in offered:
            return VNC
        if NONE in offered:
            return NONE
        if VNC in offered:
            raise RFBError(_NEEDS_ONE)
        raise RFBError(f"It offers only security types {[*offered]}.")

    def _take_vencrypt_version(self, message: bytes) -> None:
        if message < _VENCRYPT_VERSION:
            raise RFBError(f"It speaks VeNCrypt {message[0]}.{message[1]}.")
        self._output += _VENCRYPT_VERSION
        self.state = _S.VENCRYPT_AGREED

    def _take_vencrypt_agreed(self, message: bytes) -> None:
        if message != b"\0":
            raise RFBError("It does not agree to VeNCrypt 0.2.")
        self.state = _S.SUBTYPE_COUNT

    def _take_subtype_count(self, message: bytes) -> None:
        self._length = 4 * message[0]
        if not self._length:
            raise RFBError("It offers no subtype of VeNCrypt.")
        self.state = _S.SUBTYPES

    def _take_subtypes(self, message: bytes) -> None:
        offered = [found for (found,) in struct.iter_unpack(">I", message)]
        if self._password is not None and _X509_VNC in offered:
            chosen, self._inside = _X509_VNC, VNC
        elif _X509_NONE in offered:
            chosen, self._inside = _X509_NONE, NONE
        elif _X509_VNC in offered:
            raise RFBError(_NEEDS_ONE)
        else:
            raise RFBError(
                f"It offers only subtypes {offered} of VeNCrypt. Configure "
                "it with a certificate."
            )
        self._output += struct.pack(">I", chosen)
        self.state = _S.SUBTYPE_AGREED

    def _take_subtype_agreed(self, message: bytes) -> None:
        if message != b"\1":
            raise RFBError("It does not agree to use TLS.")
        if self._unread:
            # It would be taken for something that came through TLS.
            raise RFBError("It sends more before TLS begins.")
        self.state = _S.START_TLS

    def _check_password(self, security_type: int) -> None:
        if security_type == VNC and self._password is None:
            raise RFBError(_NEEDS_ONE)

    def _begin(self, security_type: int) -> None:
        if security_type == VNC:
            self.state = _S.CHALLENGE
        elif self._version is Version.V8:
            self.state = _S.RESULT
        else:
            # Without authentication, older versions send no result.
            self.state = _S.DONE

    def _take_challenge(self, message: bytes) -> None:
        self._output += auth.respond(self._password or "", message)
        self.state = _S.RESULT

    def _take_result(self, message: bytes) -> None:
        [result] = struct.unpack(">I", message)
        if result == OK:
            self.state = _S.DONE
        elif self._version is Version.V8:
            self.state = _S.REASON_LENGTH
        else:
            raise RFBError("It refuses.")

    def _take_reason_length(self, message: bytes) -> None:
        [self._length] = struct.unpack(">I", message)
        if not 0 < self._length <= _LONGEST_REASON:
            raise RFBError("It refuses.")
        self.state = _S.REASON

    def _take_reason(self, message: bytes) -> None:
        raise RFBError(f"It refuses: {printable(message)}")
