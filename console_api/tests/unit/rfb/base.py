# SPDX-License-Identifier: Apache-2.0
"""What tests of handshakes share."""

from console_api.rfb.errors import RFBError
from console_api.rfb.handshake import Handshake

CHALLENGE = bytes(range(16))

#: How a message can arrive: whole, or one byte at a time.
PIECES = (10_000, 1)


def feed(handshake: Handshake, data: bytes, size: int) -> bytes:
    """Feed data in pieces of a size; return what is sent."""
    sent = handshake.data_to_send()
    for start in range(0, len(data), size):
        handshake.receive(data[start : start + size])
        sent += handshake.data_to_send()
    return sent


def fail(handshake: Handshake, data: bytes, size: int) -> tuple[bytes, str]:
    """Feed data that is refused; return what is sent, and the reason."""
    sent = handshake.data_to_send()
    for start in range(0, len(data), size):
        try:
            handshake.receive(data[start : start + size])
        except RFBError as error:
            return sent + handshake.data_to_send(), str(error)
        sent += handshake.data_to_send()
    raise AssertionError(f"not refused: {data!r}")


def reason(text: str) -> bytes:
    """Return a reason as it is sent."""
    return len(text).to_bytes(4, "big") + text.encode()
