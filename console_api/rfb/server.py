# SPDX-License-Identifier: Apache-2.0
"""What handshakes of servers share: RFC 6143, section 7.1."""

import struct
from collections.abc import Generator
from typing import NoReturn

from console_api.rfb.errors import HandshakeError
from console_api.rfb.handshake import (
    FAILED,
    Handshake,
    State,
    Version,
    encode_reason,
)

_MAJOR_VERSION = 3

_SUPPORTED_VERSIONS = "This server speaks RFB 3.3, 3.7 and 3.8."


class ServerHandshake(Handshake):
    """The server's side of a handshake."""

    def __init__(self, refusal: str | None) -> None:
        """Wait for the version of the viewer.

        :param refusal: a reason to refuse every viewer before authentication
        """
        self._refusal = refusal
        # Until the viewer's version is known, errors are sent in a form that
        # the oldest one understands.
        self._version = Version.V3
        super().__init__()

    def _begin(self) -> Generator[State, None, None]:
        """Negotiate the version, and refuse the viewer if it has to be."""
        self._output += Version.V8.message
        try:
            major, minor = yield from self._read_version()
        except HandshakeError as error:
            self._refuse_all(_SUPPORTED_VERSIONS, str(error))
        if major != _MAJOR_VERSION:
            self._refuse_all(
                _SUPPORTED_VERSIONS,
                f"The viewer speaks RFB {major}.{minor}.",
            )
        # Other minor versions are treated as 3.3: section 7.1.1.
        if minor in (Version.V7, Version.V8):
            self._version = Version(minor)
        if self._refusal is not None:
            self._refuse_all(self._refusal, "Viewers are refused now.")

    def _offer(self, *types: int) -> Generator[State, None, int]:
        """Offer security types to RFB 3.7 or 3.8, and return the choice."""
        self._output += bytes((len(types), *types))
        chosen = yield from self._read_integer(1)
        if chosen not in types:
            self._send_failure("Choose a security type that is offered.")
            raise HandshakeError(f"The viewer chose security type {chosen}.")
        return chosen

    def _refuse_all(self, reason: str, error: str) -> NoReturn:
        """Offer no security type, which ends the handshake: section 7.1.2.

        RFB 3.3 sends one type in four bytes; later versions send a list that
        begins with its length in one byte.
        """
        self._output += b"\0\0\0\0" if self._version is Version.V3 else b"\0"
        self._output += encode_reason(reason)
        raise HandshakeError(error)

    def _send_failure(self, reason: str) -> None:
        """Send a SecurityResult: section 7.1.3; only 3.8 sends a reason."""
        self._output += struct.pack(">I", FAILED)
        if self._version is Version.V8:
            self._output += encode_reason(reason)
