# SPDX-License-Identifier: Apache-2.0
"""Helpers of the tests of handshakes."""

from console_api.rfb.errors import HandshakeError
from console_api.rfb.handshake import Handshake, State
from console_api.rfb.viewer import ViewerHandshake

CHALLENGE = bytes(range(16))

OK = b"\0\0\0\0"
FAILED = b"\0\0\0\1"

V3, V7, V8 = b"RFB 003.003\n", b"RFB 003.007\n", b"RFB 003.008\n"

#: How many bytes are received at a time: all of them, or one.
SIZES = (10_000, 1)


def feed(handshake: Handshake, data: bytes, size: int) -> bytes:
    """Feed data in pieces of a size; return what the handshake sends."""
    sent = handshake.data_to_send()
    for start in range(0, len(data), size):
        handshake.receive(data[start : start + size])
        sent += handshake.data_to_send()
        pass_prompt(handshake)
    return sent


def pass_prompt(handshake: Handshake) -> None:
    """Continue after the challenge of a ``ViewerHandshake``."""
    if handshake.state is State.PROMPT:
        assert isinstance(handshake, ViewerHandshake)
        handshake.wait_for_response()


def feed_until_error(
    handshake: Handshake, data: bytes, size: int
) -> tuple[bytes, str]:
    """Feed data that is an error; return what is sent, and the message."""
    sent = handshake.data_to_send()
    for start in range(0, len(data), size):
        try:
            handshake.receive(data[start : start + size])
        except HandshakeError as error:
            return sent + handshake.data_to_send(), str(error)
        sent += handshake.data_to_send()
    raise AssertionError(f"no error: {data!r}")


def reason(text: str) -> bytes:
    """Return a reason for a failure as sent."""
    return len(text).to_bytes(4, "big") + text.encode()
