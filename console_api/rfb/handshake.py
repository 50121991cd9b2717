# SPDX-License-Identifier: Apache-2.0
"""What both sides of a handshake share: bytes in, bytes out, no sockets."""

import abc
import enum
import struct

from console_api.rfb.errors import RFBError, printable

VERSION_LENGTH = 12

#: Security types: RFC 6143, section 7.1.2; VeNCrypt: the registry of IANA.
NONE = 1
VNC = 2
VENCRYPT = 19

#: SecurityResult: RFC 6143, section 7.1.3.
OK = 0
FAILED = 1

_FORM = b"RFB ddd.ddd\n"


class Version(enum.IntEnum):
    """The versions of the protocol, 3.x: RFC 6143, section 7.1.1."""

    V3 = 3
    V7 = 7
    V8 = 8

    @property
    def line(self) -> bytes:
        """The message that asks for this version."""
        return b"RFB 003.%03d\n" % self.value


class Handshake(abc.ABC):
    """One side of a handshake.

    Feed what the other end sends with ``receive``, in pieces of any size,
    and send it what ``data_to_send`` returns, after each call.  A state of a
    subclass says how many bytes its message has and what they lead to.
    """

    def __init__(self) -> None:
        """Begin; nothing has been received."""
        self._unread = bytearray()
        self._output = bytearray()

    @property
    def trailing(self) -> bytes:
        """What has come behind the handshake: it belongs to the session."""
        return bytes(self._unread)

    def data_to_send(self) -> bytes:
        """Return what the other end is to get now, once."""
        data = bytes(self._output)
        self._output.clear()
        return data

    def receive(self, data: bytes) -> None:
        """Take what the other end has sent.

        :raises RFBError: it breaks the protocol, or refuses
        :raises RuntimeError: nothing is expected in this state
        """
        if not self._expected():
            raise RuntimeError("The handshake expects nothing in this state.")
        self._unread += data
        while (count := self._expected()) and self._is_there(count):
            message = bytes(self._unread[:count])
            del self._unread[:count]
            self._take(message)

    def _is_there(self, count: int) -> bool:
        return len(self._unread) >= count

    @abc.abstractmethod
    def _expected(self) -> int:
        """Return how many bytes the next message has; 0: none comes."""

    @abc.abstractmethod
    def _take(self, message: bytes) -> None:
        """Act on a message of the length expected."""


def check_version(begin: bytes) -> None:
    """Check the beginning of a version message, as soon as it is there.

    :raises RFBError: it is something else
    """
    for byte, form in zip(begin[:VERSION_LENGTH], _FORM, strict=False):
        digit = form == ord("d")
        if not (chr(byte).isdecimal() if digit else byte == form):
            raise RFBError(f"It does not speak RFB: {printable(begin)}")


def parse_version(message: bytes) -> tuple[int, int]:
    """Return the major and minor number of a checked version message."""
    return int(message[4:7]), int(message[8:11])


def text(reason: str) -> bytes:
    """Return a reason for a failure as it is sent."""
    encoded = reason.encode()
    return struct.pack(">I", len(encoded)) + encoded
