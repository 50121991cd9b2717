# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a handshake."""


class RFBError(Exception):
    """The other end breaks the protocol, or refuses.

    The text is a short sentence for a log; it holds no secret.
    """


def printable(data: bytes) -> str:
    """Return some of what the other end sent, fit for a log."""
    return ascii(data[:40].decode("latin-1"))
