# SPDX-License-Identifier: Apache-2.0
"""A minimal viewer, for what a real viewer never does.

Written from RFC 6143; shares no code with ``console_api.rfb``.
"""

import socket
import ssl
from typing import Self

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

TIMEOUT = 60


class RFBClient:
    """Speaks RFB step by step."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        """Connect without sending anything."""
        #: Width and height of the screen, once it is open.
        self.size = (0, 0)
        self.socket = socket.create_connection((host, port), TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def receive(self, count: int) -> bytes:
        """Return a number of bytes, or fewer at the end of the stream."""
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                break
            data += more
        return data

    def is_closed(self) -> bool:
        """Return whether the connection is closed before more data comes."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def ask_for_challenge(self, version: str = "003.008") -> bytes:
        """Perform the handshake up to the challenge and return that."""
        assert self.receive(12) == b"RFB 003.008\n"
        self.send(f"RFB {version}\n".encode())
        if version == "003.003":
            assert self.receive(4) == b"\0\0\0\2"
        else:
            assert self.receive(2) == b"\1\2"
            self.send(b"\2")
        return self.receive(16)

    def authenticate(self, password: str, version: str = "003.008") -> int:
        """Authenticate; return the SecurityResult."""
        self.send(respond(password, self.ask_for_challenge(version)))
        return int.from_bytes(self.receive(4))

    def authenticate_with_tls(
        self, password: str, context: ssl.SSLContext, host: str = "127.0.0.1"
    ) -> int:
        """Authenticate with X509Vnc (VeNCrypt); return the SecurityResult.

        :param host: the name that the certificate has to contain
        """
        assert self.receive(12) == b"RFB 003.008\n"
        self.send(b"RFB 003.008\n")
        types = self.receive(self.receive(1)[0])
        assert types[0] == 19, types
        self.send(b"\x13")
        assert self.receive(2) == b"\0\2"
        self.send(b"\0\2")
        assert self.receive(6) == b"\0\1\0\0\1\5"
        self.send(b"\0\0\1\5")
        assert self.receive(1) == b"\1"
        self.socket = context.wrap_socket(self.socket, server_hostname=host)
        self.send(respond(password, self.receive(16)))
        return int.from_bytes(self.receive(4))

    def reason(self) -> str:
        """Return the reason that follows a failure."""
        length = int.from_bytes(self.receive(4))
        return self.receive(length).decode()

    def open(self, *, shared: bool = True) -> str:
        """Send ClientInit; return the name of the desktop."""
        self.send(bytes([shared]))
        header = self.receive(24)
        self.size = (
            int.from_bytes(header[:2]),
            int.from_bytes(header[2:4]),
        )
        length = int.from_bytes(header[20:])
        return self.receive(length).decode()


def respond(password: str, challenge: bytes) -> bytes:
    """Return the response to a challenge: RFC 6143, section 7.2.2."""
    key = bytes(
        int(f"{byte:08b}"[::-1], 2)
        for byte in password.encode()[:8].ljust(8, b"\0")
    )
    encryptor = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()  # noqa: S305 - as VNC
    return encryptor.update(challenge) + encryptor.finalize()
