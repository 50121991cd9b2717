# SPDX-License-Identifier: Apache-2.0
"""VNC authentication: RFC 6143, section 7.2.2."""

import hmac
import secrets

from console_api.rfb import des

CHALLENGE_LENGTH = 16

_BLOCK_LENGTH = 8


def new_challenge() -> bytes:
    """Return an unpredictable challenge."""
    return secrets.token_bytes(CHALLENGE_LENGTH)


def respond(password: str, challenge: bytes) -> bytes:
    """Return the response to a challenge.

    The key consists of the first 8 bytes of the password, padded with zeros,
    with the bits of each byte reversed (an erratum of the RFC; every
    implementation does so).

    :param challenge: ``CHALLENGE_LENGTH`` bytes
    """
    key = bytes(
        _REVERSED[byte]
        for byte in password.encode()[:_BLOCK_LENGTH].ljust(
            _BLOCK_LENGTH, b"\0"
        )
    )
    return b"".join(
        des.encrypt_block(key, challenge[start : start + _BLOCK_LENGTH])
        for start in range(0, len(challenge), _BLOCK_LENGTH)
    )


def verify(password: str, challenge: bytes, response: bytes) -> bool:
    """Return whether a response was made with the password.

    The comparison takes constant time.
    """
    return hmac.compare_digest(respond(password, challenge), response)


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
