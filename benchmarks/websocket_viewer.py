# SPDX-License-Identifier: Apache-2.0
"""Viewers of forwarded sessions: over TCP, and over WebSocket (RFC 6455).

Their code is independent of what is measured.
"""

import base64
import os
import socket
import ssl
import struct
from collections.abc import Iterator, Sequence

_READ_SIZE = 2**20
_TIMEOUT = 30.0


def receive(connected: socket.socket, limit: int = _READ_SIZE) -> bytes:
    """Read from a socket once.

    :raises ConnectionResetError: the other end closed the connection
    """
    data = connected.recv(limit)
    if not data:
        raise ConnectionResetError("The session ended early.")
    return data


class Viewer:
    """A viewer over TCP, as it is behind ``socat``."""

    def __init__(self, address: tuple[str, int]) -> None:
        """Connect."""
        self.socket = socket.create_connection(address, _TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = memoryview(bytearray(_READ_SIZE))

    def send(self, data: bytes) -> None:
        """Send bytes to the display."""
        self.socket.sendall(data)

    def receive(self) -> Iterator[memoryview]:
        """Read once; iterate over the bytes from the display.

        :raises ConnectionResetError: the session ended
        """
        yield self._buffer[: self._read(self._buffer)]

    def discard(self) -> int:
        """Drop bytes from the display without a copy; return their number.

        :raises ConnectionResetError: the session ended
        """
        return self._read(self._buffer, socket.MSG_TRUNC)

    def read(self, count: int) -> bytes:
        """Read a number of bytes from the display."""
        data = b""
        while len(data) < count:
            data += b"".join(self.receive())
        if len(data) > count:
            raise ValueError(f"More than {count} bytes: {data[:100]!r}")
        return data

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

    def _read(self, buffer: memoryview, flags: int = 0) -> int:
        count = self.socket.recv_into(buffer, 0, flags)
        if not count:
            raise ConnectionResetError("The session ended early.")
        return count


class WebSocketViewer(Viewer):
    """A viewer over WebSocket (RFC 6455)."""

    def __init__(
        self,
        address: tuple[str, int],
        path: str,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Connect; leave the response to ``open``."""
        super().__init__(address)
        if tls is not None:
            self.socket = tls.wrap_socket(
                self.socket, server_hostname=address[0]
            )
        self._remaining = 0
        self._partial = b""
        key = base64.b64encode(os.urandom(16)).decode()
        host, port = address
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: binary\r\n\r\n".encode()
        )

    def open(self) -> None:
        """Wait for the response.

        :raises ConnectionRefusedError: it is no upgrade
        """
        head = b""
        while b"\r\n\r\n" not in head:
            head += receive(self.socket)
        response, _, self._partial = head.partition(b"\r\n\r\n")
        if not response.startswith(b"HTTP/1.1 101 "):
            raise ConnectionRefusedError(response[:200])

    def send(self, data: bytes) -> None:
        """Send a short frame, masked with zeros."""
        super().send(struct.pack(">BB4x", 0x82, 0x80 | len(data)) + data)

    def receive(self) -> Iterator[memoryview]:
        """Read once; iterate over the payloads of binary frames."""
        size = len(self._partial)
        self._buffer[:size] = self._partial
        if not size or self._is_waiting:
            size += self._read(self._buffer[size:])
        self._partial = b""
        self._is_waiting = False
        at = 0
        while at < size:
            if not self._remaining:
                header = bytes(self._buffer[at : min(size, at + 10)])
                length = _payload(header)
                if length is None:
                    self._partial, self._is_waiting = header, True
                    return
                at += length[0]
                self._remaining = length[1]
            end = min(size, at + self._remaining)
            yield self._buffer[at:end]
            self._remaining -= end - at
            at = end

    _is_waiting = False

    def discard(self) -> int:
        """Drop a part of a frame without a copy; return its size."""
        while not self._remaining:
            self._remaining = self._read_length()
        limit = min(self._remaining, len(self._buffer))
        count = self._read(self._buffer[:limit], socket.MSG_TRUNC)
        self._remaining -= count
        return count

    def _read_length(self) -> int:
        """Wait for the header of a frame; return the size of its payload."""
        header = self._exactly(2)
        while (length := _payload(header)) is None:
            header += self._exactly(_EXTRA[header[1]])
        return length[1]

    def _exactly(self, count: int) -> bytes:
        data, self._partial = self._partial[:count], self._partial[count:]
        while len(data) < count:
            data += receive(self.socket, count - len(data))
        return data


# Bytes of a length that the second byte of a header announces.
_EXTRA = {126: 2, 127: 8}


def _payload(header: bytes) -> tuple[int, int] | None:
    """Return the lengths of a frame's header and payload, None if cut off."""
    if len(header) < 2:
        return None
    if header[0] not in (0x82, 0x89):
        raise ValueError(f"Unexpected frame: {header!r}")
    length = header[1]
    extra = _EXTRA.get(length, 0)
    if len(header) < 2 + extra:
        return None
    if extra:
        length = int.from_bytes(header[2 : 2 + extra])
    return 2 + extra, length


def connect(where: Sequence[str], path: str = "") -> Viewer:
    """Connect a viewer and wait until the session is open.

    :param where: ``tcp`` or ``ws``, then host and port; for TLS a file with
        the certificate of the authority
    """
    kind, host, port, *ca_file = where
    address = (host, int(port))
    if kind == "tcp":
        return Viewer(address)
    tls = ssl.create_default_context(cafile=ca_file[0]) if ca_file else None
    viewer = WebSocketViewer(address, path, tls)
    viewer.open()
    return viewer
