# SPDX-License-Identifier: Apache-2.0
"""A stream through a WebSocket, and viewers that use it.

The WebSocket is that of websocket-client, which shares no code with the
gateway.
"""

import ssl
import struct
import weakref
from typing import Any

import websocket
from websocket import ABNF

from console_api.tests.functional.rfb_client import TIMEOUT, RFBClient


class ClosedError(EOFError):
    """The gateway closed the WebSocket."""

    def __init__(self, code: int | None, reason: str) -> None:
        """Create the error with what the close frame contained."""
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class WebSocketStream:
    """Bytes through a WebSocket, with the methods of a socket."""

    def __init__(
        self,
        url: str,
        *,
        frame_size: int | None = None,
        context: ssl.SSLContext | None = None,
        **options: Any,
    ) -> None:
        """Connect.

        :param frame_size: bytes in each frame, as many as there are by
            default
        :param options: those of ``websocket.create_connection``
        """
        options.setdefault("suppress_origin", True)
        self.websocket = websocket.create_connection(
            url, TIMEOUT, sslopt={"context": context}, **options
        )
        # A test that does not close it leaves nothing open, either.
        weakref.finalize(self, self.websocket.shutdown)
        #: How the gateway closed the WebSocket; None while it is open.
        self.closed: ClosedError | None = None
        self._frame_size = frame_size
        self._received = b""

    def sendall(self, data: bytes) -> None:
        """Send bytes."""
        size = self._frame_size or len(data)
        for start in range(0, len(data), size):
            self.websocket.send_binary(data[start : start + size])

    def recv(self, count: int) -> bytes:
        """Return received bytes, none once the WebSocket is closed."""
        while not self._received and self.closed is None:
            self._receive()
        data = self._received[:count]
        self._received = self._received[count:]
        return data

    def wait_until_closed(self) -> ClosedError:
        """Skip what is received until the close frame; return that."""
        while self.closed is None:
            self._receive()
        return self.closed

    def close(self) -> None:
        """Close the connection without a handshake."""
        self.websocket.shutdown()

    def _receive(self) -> None:
        try:
            opcode, data = self.websocket.recv_data()
        except (websocket.WebSocketConnectionClosedException, OSError):
            self.closed = ClosedError(None, "")
            return
        if opcode == ABNF.OPCODE_CLOSE:
            code = struct.unpack(">H", data[:2])[0] if data else None
            self.closed = ClosedError(code, data[2:].decode())
        else:
            self._received += data


class WebSocketViewer(RFBClient):
    """A viewer of VNC in a browser."""

    socket: WebSocketStream  # type: ignore[assignment]

    def __init__(self, url: str, **options: Any) -> None:
        """Connect without sending anything.

        :param options: those of ``WebSocketStream``
        """
        self.size = (0, 0)
        self.socket = WebSocketStream(url, **options)

    def begin(self, *, shared: bool = True) -> str:
        """Perform the handshake; return the name of the desktop."""
        assert self.receive(12) == b"RFB 003.008\n"
        self.send(b"RFB 003.008\n")
        assert self.receive(2) == b"\1\1"
        self.send(b"\1")
        assert self.receive(4) == b"\0\0\0\0"
        return self.open(shared=shared)
