# SPDX-License-Identifier: Apache-2.0
"""A minimal viewer of SPICE: one channel, step by step.

Written from the documentation; shares no code with ``console_api.spice``.
"""

import struct
from typing import Protocol

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

MAIN, DISPLAY, INPUTS, CURSOR, PLAYBACK, RECORD = range(1, 7)
USB_REDIRECTION, PORT = 9, 10

MSG_PING, MSG_INIT, MSG_MOUSE_MODE, MSG_SURFACE_CREATE = 4, 103, 105, 314
MSGC_ACK_SYNC, MSGC_PONG, MSGC_ATTACH, MSGC_MOUSE_MODE = 1, 3, 104, 105
MSGC_KEY_DOWN, MSGC_KEY_UP, MSGC_DISPLAY_INIT = 101, 102, 101

# Selection of authentication, SPICE's own, and short headers.
_CAPABILITIES = 1 | 2 | 8


class Stream(Protocol):
    """What a channel needs of a socket."""

    def sendall(self, data: bytes) -> None:
        """Send bytes."""

    def recv(self, count: int) -> bytes:
        """Receive up to a number of bytes."""


class RefusedError(Exception):
    """The display refused the channel; has its error as an argument."""


class SpiceChannel:
    """Speaks SPICE on one connection."""

    def __init__(self, stream: Stream) -> None:
        """Start without sending anything."""
        self.stream = stream

    def link(self, connection_id: int, channel_type: int) -> None:
        """Open the channel, without a password.

        :raises RefusedError: the display refuses it
        :raises EOFError: the connection ended
        """
        self.send_link(connection_id, channel_type)
        _, _, _, size = struct.unpack("<4sIII", self.receive(16))
        body = self.receive(size)
        (error,) = struct.unpack_from("<I", body)
        if error:
            raise RefusedError(error)
        key = serialization.load_der_public_key(body[4:166])
        assert isinstance(key, rsa.RSAPublicKey)
        scheme = padding.OAEP(
            padding.MGF1(hashes.SHA1()),  # noqa: S303 - part of SPICE
            hashes.SHA1(),  # noqa: S303
            None,
        )
        self.stream.sendall(struct.pack("<I", 1) + key.encrypt(b"\0", scheme))
        (error,) = struct.unpack("<I", self.receive(4))
        if error:
            raise RefusedError(error)

    def send_link(self, connection_id: int, channel_type: int) -> None:
        """Send the link message."""
        body = struct.pack(
            "<IBBIIII", connection_id, channel_type, 0, 1, 0, 18, _CAPABILITIES
        )
        header = struct.pack("<4sIII", b"REDQ", 2, 2, len(body))
        self.stream.sendall(header + body)

    def send(self, kind: int, body: bytes = b"") -> None:
        """Send a message."""
        self.stream.sendall(struct.pack("<HI", kind, len(body)) + body)

    def wait_for(self, kind: int) -> bytes:
        """Return the next message of a kind; answer those of keep-alive.

        :raises EOFError: the connection ended
        """
        while True:
            received, size = struct.unpack("<HI", self.receive(6))
            body = self.receive(size)
            if received == MSG_PING:
                self.send(MSGC_PONG, body[:12])
            if received == kind:
                return body

    def receive(self, count: int) -> bytes:
        """Return a number of bytes.

        :raises EOFError: the connection ended
        """
        data = b""
        while len(data) < count:
            more = self.stream.recv(count - len(data))
            if not more:
                raise EOFError("The connection has ended.")
            data += more
        return data
