# SPDX-License-Identifier: Apache-2.0
"""VNC authentication: RFC 6143, section 7.2.2."""

import hmac
import secrets

from console_api.rfb import des

CHALLENGE_LENGTH = 16

_BLOCK = 8


def new_challenge() -> bytes:
    """Make a challenge that nobody can foresee."""
    return secrets.token_bytes(CHALLENGE_LENGTH)


def respond(password: str, challenge: bytes) -> bytes:
    """Return what proves that one knows a password.

    The first 8 bytes of the password are the key, the bits of each reversed,
    as every VNC program has it (an erratum of the RFC).
    """
    key = bytes(
        _REVERSED[byte]
        for byte in password.encode()[:_BLOCK].ljust(_BLOCK, b"\0")
    )
    return b"".join(
        des.encrypt_block(key, challenge[start : start + _BLOCK])
        for start in range(0, len(challenge), _BLOCK)
    )


def verify(password: str, challenge: bytes, response: bytes) -> bool:
    """Tell whether a response proves that the password is known."""
    return hmac.compare_digest(respond(password, challenge), response)


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
