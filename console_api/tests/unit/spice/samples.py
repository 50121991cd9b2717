# SPDX-License-Identifier: Apache-2.0
"""Messages for tests, built from the documentation of SPICE."""

import struct

AUTH_SELECTION, AUTH_SPICE, MINI_HEADER = 1, 2, 8

#: What spice-html5 announces, and displays of today do.
CAPABILITIES = AUTH_SELECTION | AUTH_SPICE | MINI_HEADER

CONNECTION_ID = 0x4D3C2B1A

TICKET = struct.pack("<I", 1) + bytes(range(128))


def link(
    connection_id: int = 0,
    channel_type: int = 1,
    capabilities: int | None = CAPABILITIES,
    version: int = 2,
) -> bytes:
    """Return a viewer's link message."""
    words = [] if capabilities is None else [capabilities, 1]
    body = struct.pack(
        f"<IBBIII{len(words)}I",
        *(connection_id, channel_type, 0),
        *(1 if words else 0, 1 if words else 0, 18),
        *words,
    )
    return struct.pack("<4sIII", b"REDQ", version, 2, len(body)) + body


def reply(capabilities: int | None = CAPABILITIES, error: int = 0) -> bytes:
    """Return a display's answer to a link message."""
    words = [] if capabilities is None else [capabilities, 9]
    body = struct.pack(
        f"<I162sIII{len(words)}I",
        *(error, bytes(162)),
        *(1 if words else 0, 1 if words else 0, 178),
        *words,
    )
    return struct.pack("<4sIII", b"REDQ", 2, 2, len(body)) + body


def message(
    kind: int, body: bytes = b"", *, is_mini: bool = True, nested: int = 0
) -> bytes:
    """Return a message of either side, after the link."""
    if is_mini:
        return struct.pack("<HI", kind, len(body)) + body
    return struct.pack("<QHII", 7, kind, len(body), nested) + body


def init(*, is_mini: bool = True) -> bytes:
    """Return the message that tells the viewer its connection ID."""
    body = struct.pack("<8I", CONNECTION_ID, 1, 3, 2, 1, 10, 0, 0)
    return message(103, body, is_mini=is_mini)
