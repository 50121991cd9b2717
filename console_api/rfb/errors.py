# SPDX-License-Identifier: Apache-2.0
"""Errors of handshakes and sessions."""


class HandshakeError(Exception):
    """The other end violated the protocol or refused the connection.

    The message is a sentence for a log and contains no secret.
    """


class ViolationError(Exception):
    """The viewer sent a message that its session does not allow.

    The message is a sentence for a log and contains no secret.
    """


def printable(data: bytes) -> str:
    """Return the beginning of received data as an ASCII literal for a log."""
    return ascii(data[:40].decode("latin-1"))
