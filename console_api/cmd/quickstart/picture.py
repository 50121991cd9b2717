# SPDX-License-Identifier: Apache-2.0
"""The picture of the quickstart's sample server: bars over a line of text."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 320, 240

#: The first row of the line of text.
TEXT_TOP = 208

# The bars of the picture, from left to right: red, green and blue.
_BARS = (
    (255, 255, 255),
    (255, 255, 0),
    (0, 255, 255),
    (0, 255, 0),
    (255, 0, 255),
    (255, 0, 0),
    (0, 0, 255),
    (0, 0, 0),
)

_BAR_WIDTH = WIDTH // len(_BARS)

_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)

# Glyphs of 3 by 5 dots: an octal digit for each row, from top to bottom.
_GLYPH_TABLE = (
    "A25755 B65656 C34443 D65556 E74647 F74644 G34553 H55755 I72227 J11152 "
    "K55655 L44447 M57755 N65555 O25552 P65644 Q25573 R65655 S34216 T72222 "
    "U55557 V55552 W55775 X55255 Y55222 Z71247 075557 126227 261247 361216 "
    "455711 574616 634757 771222 875757 975716 >42124 _00007 .00002 ,00024 "
    "-00700 !22202 ?61202"
)
_GLYPHS = {glyph[0]: glyph[1:] for glyph in _GLYPH_TABLE.split()}
_GLYPHS[" "] = "00000"

# Pixels of a dot in each direction, and of the margin around the text.
_SCALE = 4
_MARGIN = 6

#: The number of characters that fit into the line.
COLUMNS = (WIDTH - 2 * _MARGIN) // (4 * _SCALE)

Colour = tuple[int, int, int]

#: Left, top, right and bottom of a part of the picture.
Area = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """The pixel format of a viewer (RFC 6143, section 7.4)."""

    bits: int
    big_endian: int
    maxima: Sequence[int]
    shifts: Sequence[int]

    @classmethod
    def parse(cls, data: bytes) -> "PixelFormat":
        """Parse a format.

        :raises ValueError: it is not a true-colour format
        """
        bits, _, big, true, r, g, b, rs, gs, bs = struct.unpack(
            ">BBBBHHHBBB3x", data
        )
        if not true or bits not in (8, 16, 32):
            raise ValueError("Only true-colour formats are supported.")
        return cls(bits, big, (r, g, b), (rs, gs, bs))

    def encode(self, colour: Colour) -> bytes:
        """Return the bytes of one pixel."""
        pixel = sum(
            value * maximum // 255 << shift
            for value, maximum, shift in zip(
                colour, self.maxima, self.shifts, strict=True
            )
        )
        return int(pixel % 2**self.bits).to_bytes(
            self.bits // 8, "big" if self.big_endian else "little"
        )


def draw(text: str, pixels: PixelFormat, area: Area) -> bytes:
    """Return the pixels of an area of the picture, row by row.

    :param text: at most ``COLUMNS`` characters
    """
    x, y, right, bottom = area
    colours = {
        colour: pixels.encode(colour) for colour in {*_BARS, _BLACK, _WHITE}
    }
    bars = [colours[_BARS[at // _BAR_WIDTH]] for at in range(WIDTH)]
    rows = (
        bars
        if row < TEXT_TOP
        else [colours[colour] for colour in _text_row(text, row - TEXT_TOP)]
        for row in range(y, bottom)
    )
    return b"".join(b"".join(row[x:right]) for row in rows)


def _text_row(text: str, y: int) -> list[Colour]:
    """Return a row of pixels of the line of text."""
    dots = list(_dots(text, (y - _MARGIN) // _SCALE))
    row = [colour for colour in dots for _ in range(_SCALE)]
    before = [_BLACK] * _MARGIN
    return [*before, *row, *[_BLACK] * (WIDTH - _MARGIN - len(row))]


def _dots(text: str, row: int) -> Iterator[Colour]:
    for character in text if 0 <= row < len(_GLYPHS["?"]) else "":
        dots = int(_GLYPHS.get(character.upper(), _GLYPHS["?"])[row])
        # Three dots of the character, and one between characters.
        for mask in (4, 2, 1, 0):
            yield _WHITE if dots & mask else _BLACK
