# SPDX-License-Identifier: Apache-2.0
"""The handshake with a viewer, as its VNC server: RFC 6143, section 7.1."""

import enum
import struct

from console_api.rfb import auth
from console_api.rfb.errors import RFBError
from console_api.rfb.handshake import (
    FAILED,
    OK,
    VERSION_LENGTH,
    VNC,
    Handshake,
    Version,
    check_version,
    parse_version,
    text,
)

_MAJOR = 3

_VERSIONS = "This server speaks RFB 3.3, 3.7 and 3.8."


class ViewerState(enum.Enum):
    """What is awaited, or how it ended."""

    VERSION = enum.auto()
    SECURITY_TYPE = enum.auto()
    RESPONSE = enum.auto()
    #: The response is there; ``accept`` or ``refuse`` answers it.
    ANSWERED = enum.auto()
    DONE = enum.auto()
    REFUSED = enum.auto()


_EXPECTED = {
    ViewerState.VERSION: VERSION_LENGTH,
    ViewerState.SECURITY_TYPE: 1,
    ViewerState.RESPONSE: auth.CHALLENGE_LENGTH,
}


class ViewerHandshake(Handshake):
    """Asks a viewer for the password of a console."""

    def __init__(
        self,
        password: str,
        *,
        challenge: bytes | None = None,
        refusal: str | None = None,
    ) -> None:
        """Begin with the version.

        :param challenge: 16 bytes; by default nobody can foresee them
        :param refusal: let nobody in, for this reason
        """
        super().__init__()
        self.state = ViewerState.VERSION
        #: Whether the response was right, once it is there.
        self.authentic = False
        self._password = password
        self._challenge = challenge or auth.new_challenge()
        self._refusal = refusal
        # Until it is known, as the oldest viewer would understand it.
        self._version = Version.V3
        self._output += Version.V8.line

    def receive(self, data: bytes) -> None:
        """Take what the viewer has sent; see ``Handshake.receive``."""
        if self.state is ViewerState.VERSION:
            try:
                check_version(bytes(self._unread) + data)
            except RFBError:
                self._offer_nothing(_VERSIONS)
                raise
        super().receive(data)

    def accept(self) -> None:
        """Let the viewer in."""
        self._check_answered()
        if not self.authentic:
            raise RuntimeError("The password was wrong.")
        self._output += struct.pack(">I", OK)
        self.state = ViewerState.DONE

    def refuse(self, reason: str) -> None:
        """Do not let the viewer in; it learns why if its version can."""
        self._check_answered()
        self._fail(reason)

    def _check_answered(self) -> None:
        if self.state is not ViewerState.ANSWERED:
            message = f"There is nothing to answer in {self.state}."
            raise RuntimeError(message)

    def _expected(self) -> int:
        return _EXPECTED.get(self.state, 0)

    def _take(self, message: bytes) -> None:
        if self.state is ViewerState.VERSION:
            self._take_version(*parse_version(message))
        elif self.state is ViewerState.SECURITY_TYPE:
            self._take_type(message[0])
        else:
            self.authentic = auth.verify(
                self._password, self._challenge, message
            )
            self.state = ViewerState.ANSWERED

    def _take_version(self, major: int, minor: int) -> None:
        if major != _MAJOR:
            self._offer_nothing(_VERSIONS)
            raise RFBError(f"It asks for RFB {major}.{minor}.")
        # Any other number is to be taken for 3.3: section 7.1.1.
        known = minor in (Version.V7, Version.V8)
        self._version = Version(minor) if known else Version.V3
        if self._refusal is not None:
            self._offer_nothing(self._refusal)
        elif self._version is Version.V3:
            self._output += struct.pack(">I", VNC)
            self._send_challenge()
        else:
            self._output += bytes((1, VNC))
            self.state = ViewerState.SECURITY_TYPE

    def _take_type(self, chosen: int) -> None:
        if chosen != VNC:
            self._fail("Choose VNC authentication.")
            raise RFBError(f"It chooses security type {chosen}.")
        self._send_challenge()

    def _send_challenge(self) -> None:
        self._output += self._challenge
        self.state = ViewerState.RESPONSE

    def _offer_nothing(self, reason: str) -> None:
        """Offer no security type, which ends it: section 7.1.2.

        3.3 has one type in four bytes, later versions count in one byte.
        """
        self._output += b"\0\0\0\0" if self._version is Version.V3 else b"\0"
        self._output += text(reason)
        self.state = ViewerState.REFUSED

    def _fail(self, reason: str) -> None:
        self._output += struct.pack(">I", FAILED)
        if self._version is Version.V8:
            self._output += text(reason)
        self.state = ViewerState.REFUSED
