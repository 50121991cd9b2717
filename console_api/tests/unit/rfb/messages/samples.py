# SPDX-License-Identifier: Apache-2.0
"""Messages for tests, built from RFC 6143 and rfbproto."""

import struct
import zlib

PIXEL_FORMAT = struct.pack(
    ">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0
)
PIXEL_FORMAT_16 = struct.pack(
    ">BBBBHHHBBBxxx", 16, 16, 0, 1, 31, 63, 31, 11, 5, 0
)
WIDTH, HEIGHT = 640, 480
SERVER_INIT = struct.pack(">HH16sI4s", WIDTH, HEIGHT, PIXEL_FORMAT, 4, b"name")

UPDATE_REQUEST = struct.pack(">BBHHHH", 3, 1, 0, 0, WIDTH, HEIGHT)
FULL_REQUEST = struct.pack(">BBHHHH", 3, 0, 0, 0, WIDTH, HEIGHT)
KEY_EVENT = struct.pack(">BBxxI", 4, 1, 0x61)
EXTENDED_KEY_EVENT = struct.pack(">BBHII", 255, 0, 1, 0x61, 30)
ENABLE_UPDATES = struct.pack(">BBHHHH", 150, 1, 0, 0, WIDTH, HEIGHT)
DISABLE_UPDATES = struct.pack(">BBHHHH", 150, 0, 0, 0, 0, 0)
END_OF_UPDATES = b"\x96"

SCREENS = struct.pack(">B3xI4HI", 1, 0, 0, 0, WIDTH, HEIGHT, 0)


def set_pixel_format(pixel_format: bytes = PIXEL_FORMAT) -> bytes:
    """Return a SetPixelFormat."""
    return b"\0\0\0\0" + pixel_format


def set_encodings(*numbers: int) -> bytes:
    """Return a SetEncodings."""
    return struct.pack(f">BxH{len(numbers)}i", 2, len(numbers), *numbers)


def fence(*, is_request: bool, payload: bytes = b"") -> bytes:
    """Return a fence, in either direction."""
    flags = is_request << 31 | 1
    return struct.pack(">B3xIB", 248, flags, len(payload)) + payload


def rectangle(
    encoding: int,
    data: bytes = b"",
    width: int = 2,
    height: int = 3,
    position: tuple[int, int] = (0, 0),
) -> bytes:
    """Return a rectangle."""
    return struct.pack(">HHHHi", *position, width, height, encoding) + data


def update(*rectangles: bytes, count: int | None = None) -> bytes:
    """Return a FramebufferUpdate."""
    number = len(rectangles) if count is None else count
    return struct.pack(">BxH", 0, number) + b"".join(rectangles)


class Compressor:
    """The compression stream of one display."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj()

    def compress(self, data: bytes, mode: int = zlib.Z_SYNC_FLUSH) -> bytes:
        """Return data as zlib and ZRLE send it, with its length."""
        compressed = self._stream.compress(data) + self._stream.flush(mode)
        return len(compressed).to_bytes(4) + compressed


_HEXTILE = (
    b"\1" + bytes(16 * 16 * 4),
    b"\x1e" + bytes(4 + 4) + b"\2" + bytes(2 * 6),
    b"\0",
    b"\x08\1" + bytes(2),
)

#: Rectangles with a picture, one of each encoding and variant.
PICTURES = {
    "raw": rectangle(0, bytes(2 * 3 * 4)),
    "copy": rectangle(1, bytes(4)),
    "rre": rectangle(2, b"\0\0\0\2" + bytes(4 + 2 * 12)),
    "corre": rectangle(4, b"\0\0\0\2" + bytes(4 + 2 * 8)),
    "hextile": rectangle(5, b"".join(_HEXTILE), 20, 17),
    "zlib": rectangle(6, Compressor().compress(bytes(24))),
    "tight fill": rectangle(7, b"\x80" + bytes(3)),
    "tight jpeg": rectangle(7, b"\x90\x82\1" + bytes(130)),
    "tight jpeg of 3 length bytes": rectangle(
        7, b"\x90\x80\x80\1" + bytes(1 << 14)
    ),
    "tight short": rectangle(7, b"\0" + bytes(3 * 3), 1, 3),
    "tight copy": rectangle(7, b"\x10\5" + bytes(5)),
    "tight copy with filter": rectangle(7, b"\x50\0\5" + bytes(5)),
    "tight gradient": rectangle(7, b"\x60\2\5" + bytes(5)),
    "tight two colors": rectangle(7, b"\x40\1\1" + bytes(6 + 2 * 3), 9, 3),
    "tight palette": rectangle(
        7, b"\x40\1\3" + bytes(4 * 3) + b"\5" + bytes(5), 9, 3
    ),
    "zrle": rectangle(16, Compressor().compress(bytes(24))),
    "tight png": rectangle(-260, b"\xa0\5" + bytes(5)),
}

#: Rectangles without one.
OTHERS = {
    "cursor": rectangle(-239, bytes(9 * 2 * 4 + 2 * 2), 9, 2),
    "x cursor": rectangle(-240, bytes(6 + 2 * 2 * 2), 9, 2),
    "empty x cursor": rectangle(-240, b"", 0, 0),
    "alpha cursor": rectangle(-314, bytes(4) + bytes(9 * 2 * 4), 9, 2),
    "vmware cursor": rectangle(0x574D5664, bytes(2 + 18 * 8), 9, 2),
    "vmware alpha cursor": rectangle(
        0x574D5664, b"\1\0" + bytes(18 * 4), 9, 2
    ),
    "vmware pixel format": rectangle(0x574D5669, PIXEL_FORMAT),
    "vmware key repeat": rectangle(0x574D5667, bytes(10)),
    "desktop size": rectangle(-223, b"", WIDTH, HEIGHT),
    "extended desktop size": rectangle(-308, SCREENS, WIDTH, HEIGHT),
    "desktop name": rectangle(-307, b"\0\0\0\3new"),
    "pointer position": rectangle(-232),
    "leds": rectangle(-261, b"\1"),
    "pointer motion": rectangle(-257),
    "extended keys": rectangle(-258),
    "audio": rectangle(-259),
    "extended mouse buttons": rectangle(-316),
}

#: Messages of a display.
FROM_DISPLAY = {
    **{name: update(data) for name, data in (PICTURES | OTHERS).items()},
    "several rectangles": update(*PICTURES.values(), *OTHERS.values()),
    "last rectangle": update(PICTURES["raw"], rectangle(-224), count=0xFFFF),
    "no rectangles": update(),
    "color map": struct.pack(">BxHH", 1, 0, 2) + bytes(12),
    "bell": b"\2",
    "cut text": b"\3\0\0\0\0\0\0\3abc",
    "extended cut text": b"\3\0\0\0\xff\xff\xff\xfc" + bytes(4),
    "end of continuous updates": END_OF_UPDATES,
    "fence": fence(is_request=True, payload=b"abc"),
    "xvp": b"\xfa\0\1\1",
    "audio begin": b"\xff\1\0\1",
    "audio data": b"\xff\1\0\2\0\0\0\3abc",
}

#: Messages of a viewer.
FROM_VIEWER = {
    "pixel format": set_pixel_format(),
    "encodings": set_encodings(7, 16, 0, -223),
    "update request": UPDATE_REQUEST,
    "key": KEY_EVENT,
    "pointer": struct.pack(">BBHH", 5, 1, 2, 3),
    "cut text": b"\6\0\0\0\0\0\0\3abc",
    "extended cut text": b"\6\0\0\0\xff\xff\xff\xfc" + bytes(4),
    "enable continuous updates": ENABLE_UPDATES,
    "fence": fence(is_request=True, payload=b"abc"),
    "xvp": b"\xfa\0\1\3",
    "desktop size": struct.pack(">BxHHBx", 251, 1, 1, 2) + bytes(32),
    "extended key": EXTENDED_KEY_EVENT,
    "enable audio": b"\xff\1\0\0",
    "audio format": b"\xff\1\0\2" + bytes(6),
}
