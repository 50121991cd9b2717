# SPDX-License-Identifier: Apache-2.0
"""The way through an HTTP server to a screen: RFC 9110, section 9.3.6.

XenServer serves the screens of its servers so: ``CONNECT`` with the path of
one, and what follows the answer is RFB.
"""

import re

from console_api.rfb.errors import HandshakeError

# The longest answer, up to the empty line that ends it.
_LONGEST = 8192

_END = b"\r\n\r\n"

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")


def connect_request(host: str, port: int, path: str) -> bytes:
    """Return the request.

    :raises HandshakeError: the path cannot be part of one
    """
    if not re.fullmatch(r"[!-~]+", path):
        raise HandshakeError(
            "The internal access path has blanks or worse in it."
        )
    name = f"[{host}]" if ":" in host else host
    return f"CONNECT {path} HTTP/1.1\r\nHost: {name}:{port}\r\n\r\n".encode()


class ConnectResponse:
    """The answer, in pieces of any size."""

    def __init__(self) -> None:
        """Begin; nothing has been received."""
        self._received = b""
        #: Whether the whole of it is there.
        self.done = False
        #: What has come behind it.
        self.trailing = b""

    def receive(self, data: bytes) -> None:
        """Take what the server has sent.

        :raises HandshakeError: it refuses, or does not speak HTTP
        """
        self._received += data
        head, end, self.trailing = self._received.partition(_END)
        if len(head) > _LONGEST:
            raise HandshakeError("Its HTTP answer has no end.")
        if not end:
            return
        found = _STATUS_LINE.match(head + b"\r")
        if found is None:
            raise HandshakeError("It does not speak HTTP.")
        if not found[1].startswith(b"2"):
            raise HandshakeError(
                f"It answers with HTTP status {found[1].decode()}."
            )
        self.done = True
