# SPDX-License-Identifier: Apache-2.0
"""What all handshakes share: bytes in, bytes out, no sockets."""

import abc
import enum
import struct
from collections.abc import Generator

from console_api.rfb.errors import HandshakeError, printable

#: Security types: RFC 6143, section 7.1.2, and the IANA registry (VeNCrypt).
NONE = 1
VNC = 2
VENCRYPT = 19

#: VeNCrypt, as specified by the community's version of the protocol
#: ("rfbproto"): its version 0.2, and the subtype with VNC authentication
#: inside TLS with a certificate.
VENCRYPT_VERSION = b"\0\2"
X509_VNC = 261

#: SecurityResult: RFC 6143, section 7.1.3.
OK = 0
FAILED = 1

_VERSION_FORMAT = b"RFB ddd.ddd\n"
_DIGITS = b"0123456789"


class State(enum.Enum):
    """What the caller of a handshake has to do next."""

    #: Pass received bytes to ``receive``.
    RECEIVE = enum.auto()
    #: Start TLS, then call ``tls_started``.
    START_TLS = enum.auto()
    #: Allow time to type a password, then call ``wait_for_response``
    #: (``ViewerHandshake``).
    PROMPT = enum.auto()
    #: Call ``accept`` or ``refuse`` (``ViewerHandshake``).
    DECIDE = enum.auto()
    #: Nothing: the handshake has succeeded.
    DONE = enum.auto()
    #: Nothing: the handshake has failed.
    FAILED = enum.auto()


class Version(enum.IntEnum):
    """Minor versions of RFB 3: RFC 6143, section 7.1.1."""

    V3 = 3
    V7 = 7
    V8 = 8

    @property
    def message(self) -> bytes:
        """The ProtocolVersion message of this version."""
        return b"RFB 003.%03d\n" % self.value


class Handshake(abc.ABC):
    """One side of a handshake.

    Send the bytes that ``data_to_send`` returns, then do what ``state`` asks
    for, until it is ``DONE`` or ``FAILED``.
    """

    def __init__(self) -> None:
        """Start the handshake.

        Subclasses call this last: it runs their ``_steps`` up to the first
        read.
        """
        self.state = State.RECEIVE
        self._received = bytearray()
        self._output = bytearray()
        self._running = self._steps()
        self._advance()

    def take_trailing(self) -> bytes:
        """Return the bytes received behind this state, and forget them.

        At the end of the handshake, they belong to the session.
        """
        data = bytes(self._received)
        self._received.clear()
        return data

    def data_to_send(self) -> bytes:
        """Return the bytes to send to the other end, and forget them.

        There may be some even when the handshake has failed.
        """
        data = bytes(self._output)
        self._output.clear()
        return data

    def receive(self, data: bytes) -> None:
        """Process bytes received from the other end.

        :param data: any part of the stream, however it was split
        :raises HandshakeError: the other end violated the protocol or refused
            the connection
        :raises RuntimeError: the state is not ``RECEIVE``
        """
        self._require(State.RECEIVE)
        self._received += data
        self._advance()

    def tls_started(self) -> None:
        """Continue inside TLS.

        :raises RuntimeError: the state is not ``START_TLS``
        """
        self._require(State.START_TLS)
        self._advance()

    @abc.abstractmethod
    def _steps(self) -> Generator[State, None, None]:
        """Perform the handshake; yield a state to wait for the caller."""

    def _advance(self) -> None:
        try:
            self.state = next(self._running, State.DONE)
        except HandshakeError:
            self.state = State.FAILED
            raise

    def _require(self, state: State) -> None:
        if self.state is not state:
            message = f"The handshake is in {self.state}, not in {state}."
            raise RuntimeError(message)

    def _start_tls(self) -> Generator[State, None, None]:
        """Wait until TLS has been started."""
        if self._received:
            # It would be taken for data received through TLS.
            raise HandshakeError("Data was received before TLS started.")
        yield State.START_TLS

    def _read_exact(self, count: int) -> Generator[State, None, bytes]:
        """Wait for a number of bytes and return them."""
        while len(self._received) < count:
            yield State.RECEIVE
        data = bytes(self._received[:count])
        del self._received[:count]
        return data

    def _read_integer(self, size: int) -> Generator[State, None, int]:
        """Wait for an unsigned integer of a number of bytes."""
        return int.from_bytes((yield from self._read_exact(size)))

    def _read_version(self) -> Generator[State, None, tuple[int, int]]:
        """Wait for a ProtocolVersion message: RFC 6143, section 7.1.1.

        A wrong byte is an error at once: a peer that speaks another protocol
        may not send twelve bytes before it waits for an answer.

        :returns: the major and the minor version
        """
        message = b""
        for expected in _VERSION_FORMAT:
            message += yield from self._read_exact(1)
            allowed = _DIGITS if expected == ord("d") else (expected,)
            if message[-1] not in allowed:
                raise HandshakeError(
                    "The other end does not speak RFB; it sent "
                    f"{printable(message + self._received)}."
                )
        return int(message[4:7]), int(message[8:11])


def encode_reason(reason: str) -> bytes:
    """Return a reason for a failure as sent: RFC 6143, section 7.1.3."""
    encoded = reason.encode()
    return struct.pack(">I", len(encoded)) + encoded
