# SPDX-License-Identifier: Apache-2.0
"""HTTP CONNECT: RFC 9110, section 9.3.6.

XenServer serves the displays of its servers this way: ``CONNECT`` with the
path of a display, and what follows the response is RFB.
"""

import re
from collections.abc import Generator

from console_api.rfb.errors import HandshakeError
from console_api.rfb.handshake import Handshake, State

# The longest response in bytes, up to the empty line that ends it.
_MAX_RESPONSE_LENGTH = 8192

_END = b"\r\n\r\n"

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")


class ConnectHandshake(Handshake):
    """The client's side of HTTP CONNECT."""

    def __init__(self, host: str, port: int, path: str) -> None:
        """Send the request.

        :param host: the host of the request, a name or an address
        :param path: the request target
        :raises HandshakeError: the path cannot be part of a request
        """
        if not re.fullmatch(r"[!-~]+", path):
            raise HandshakeError(
                "The internal access path must consist of printable ASCII "
                "characters without spaces."
            )
        name = f"[{host}]" if ":" in host else host
        self._request = f"CONNECT {path} HTTP/1.1\r\nHost: {name}:{port}\r\n"
        super().__init__()

    def _steps(self) -> Generator[State, None, None]:
        self._output += f"{self._request}\r\n".encode()
        head = yield from self._read_head()
        status = _STATUS_LINE.match(head)
        if status is None:
            raise HandshakeError("The host does not speak HTTP.")
        if not status[1].startswith(b"2"):
            raise HandshakeError(
                f"The host answered with HTTP status {status[1].decode()}."
            )

    def _read_head(self) -> Generator[State, None, bytes]:
        limit = _MAX_RESPONSE_LENGTH
        while (end := self._received.find(_END, 0, limit)) < 0:
            if len(self._received) >= limit:
                raise HandshakeError("The HTTP response is too long.")
            yield State.RECEIVE
        return (yield from self._read_exact(end + len(_END)))
