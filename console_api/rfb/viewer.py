# SPDX-License-Identifier: Apache-2.0
"""The server's side of a handshake with a viewer: RFC 6143, section 7.1.

Security types are VNC authentication and VeNCrypt with X509Vnc, which is VNC
authentication inside TLS.
"""

import struct
from collections.abc import Generator, Sequence

from console_api.rfb import auth
from console_api.rfb.errors import HandshakeError
from console_api.rfb.handshake import (
    OK,
    VENCRYPT,
    VENCRYPT_VERSION,
    VNC,
    X509_VNC,
    State,
    Version,
)
from console_api.rfb.server import ServerHandshake

_TLS_REQUIRED = "This console requires TLS, which RFB 3.3 does not support."


class ViewerHandshake(ServerHandshake):
    """Authenticates a viewer with the password of a console.

    Once the challenge is out, the state is ``PROMPT``: a person may have to
    type the password.  Once the viewer has responded, the state is ``DECIDE``
    and ``is_authentic`` is known.
    """

    def __init__(
        self,
        password: str,
        *,
        security_types: Sequence[int] = (VNC,),
        challenge: bytes | None = None,
        refusal: str | None = None,
    ) -> None:
        """Send the version of the server.

        :param security_types: ``VENCRYPT``, ``VNC`` or both, the preferred
            one first; with ``VENCRYPT``, the caller has to start TLS
        :param challenge: 16 bytes, random by default
        :param refusal: a reason to refuse every viewer before authentication
        """
        #: Whether the viewer sent the correct password.
        self.is_authentic = False
        #: Whether the viewer has chosen TLS.
        self.is_encrypted = False
        self._security_types = security_types
        self._password = password
        self._challenge = challenge or auth.new_challenge()
        super().__init__(refusal)

    def wait_for_response(self) -> None:
        """Continue after the challenge.

        :raises RuntimeError: the state is not ``PROMPT``
        """
        self._require(State.PROMPT)
        self._advance()

    def accept(self) -> None:
        """Let the viewer in.

        :raises RuntimeError: it has not authenticated
        """
        self._require(State.DECIDE)
        if not self.is_authentic:
            raise RuntimeError("The viewer has not authenticated.")
        self._output += struct.pack(">I", OK)
        self.state = State.DONE

    def refuse(self, reason: str) -> None:
        """Refuse the viewer.

        :param reason: shown by viewers that speak RFB 3.8
        :raises RuntimeError: the viewer has not responded yet
        """
        self._require(State.DECIDE)
        self._send_failure(reason)
        self.state = State.FAILED

    def _steps(self) -> Generator[State, None, None]:
        yield from self._begin()
        if self._version is Version.V3:
            self._decide_security()
        else:
            yield from self._negotiate_security()
        self._output += self._challenge
        yield State.PROMPT
        response = yield from self._read_exact(auth.CHALLENGE_LENGTH)
        self.is_authentic = auth.verify(
            self._password, self._challenge, response
        )
        yield State.DECIDE

    def _decide_security(self) -> None:
        """Choose the only type of RFB 3.3: section 7.1.2 of that version."""
        if VNC not in self._security_types:
            self._refuse_all(_TLS_REQUIRED, "The viewer speaks RFB 3.3.")
        self._output += struct.pack(">I", VNC)

    def _negotiate_security(self) -> Generator[State, None, None]:
        chosen = yield from self._offer(*self._security_types)
        if chosen == VENCRYPT:
            yield from self._negotiate_vencrypt()

    def _negotiate_vencrypt(self) -> Generator[State, None, None]:
        """Offer X509Vnc alone, and have TLS started."""
        self._output += VENCRYPT_VERSION
        version = yield from self._read_exact(len(VENCRYPT_VERSION))
        if version != VENCRYPT_VERSION:
            self._output += b"\xff"
            raise HandshakeError(
                f"The viewer speaks VeNCrypt {version[0]}.{version[1]}."
            )
        self._output += struct.pack(">BBI", 0, 1, X509_VNC)
        subtype = yield from self._read_integer(4)
        if subtype != X509_VNC:
            self._output += b"\0"
            raise HandshakeError(
                f"The viewer chose the VeNCrypt subtype {subtype}."
            )
        self._output += b"\1"
        yield from self._start_tls()
        self.is_encrypted = True
