# SPDX-License-Identifier: Apache-2.0
"""Headers of rectangles, and encodings whose data has a known length.

RFC 6143, sections 7.6 to 7.8, and the encodings of the community's version
of the protocol ("rfbproto").
"""

import struct
from collections.abc import Callable
from typing import NamedTuple, Self

RAW = 0
TIGHT = 7
ZRLE = 16
DESKTOP_SIZE = -223
LAST_RECT = -224
EXTENDED_DESKTOP_SIZE = -308

#: Header of a rectangle: RFC 6143, section 7.6.1.
HEADER = struct.Struct(">HHHHi")


class Rectangle(NamedTuple):
    """Header of a rectangle."""

    x: int
    y: int
    width: int
    height: int
    encoding: int

    @classmethod
    def decode(cls, header: bytes) -> Self:
        """Decode a header of ``HEADER.size`` bytes."""
        return cls(*HEADER.unpack(header))

    @property
    def area(self) -> int:
        """The number of pixels."""
        return self.width * self.height

    @property
    def mask_length(self) -> int:
        """The length of a bitmap with a bit per pixel."""
        return (self.width + 7) // 8 * self.height


def _x_cursor(rectangle: Rectangle, _: int) -> int:
    return 6 + 2 * rectangle.mask_length if rectangle.area else 0


#: Encodings whose length follows from the header and the bytes per pixel.
LENGTHS: dict[int, Callable[[Rectangle, int], int]] = {
    RAW: lambda rectangle, size: rectangle.area * size,
    1: lambda *_: 4,  # CopyRect
    -232: lambda *_: 0,  # PointerPos
    -239: lambda rectangle, size: (
        rectangle.area * size + rectangle.mask_length
    ),  # Cursor
    -240: _x_cursor,
    -257: lambda *_: 0,  # QEMU: pointer motion changed
    -261: lambda *_: 1,  # LED state
    # VMware: cursor state, cursor position, key repeat, LEDs, machine state
    0x574D5665: lambda *_: 2,
    0x574D5666: lambda *_: 0,
    0x574D5667: lambda *_: 10,
    0x574D5668: lambda *_: 4,
    0x574D566A: lambda *_: 2,
}
