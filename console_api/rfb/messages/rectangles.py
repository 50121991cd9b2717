# SPDX-License-Identifier: Apache-2.0
"""Following the rectangles of a FramebufferUpdate.

RFC 6143, sections 7.7 and 7.8, and the encodings of the community's version
of the protocol ("rfbproto").
"""

from collections.abc import Callable
from typing import ClassVar

from console_api.rfb.messages.encodings import (
    DESKTOP_SIZE,
    EXTENDED_DESKTOP_SIZE,
    LENGTHS,
    RAW,
    TIGHT,
    ZRLE,
    Rectangle,
)
from console_api.rfb.messages.parser import (
    MessageParser,
    Steps,
    UnknownMessageError,
)
from console_api.rfb.messages.state import (
    PIXEL_FORMAT_LENGTH,
    Extension,
    PixelFormat,
    SessionState,
)

# Tight: what is shorter is not compressed.
_MIN_TO_COMPRESS = 12

# Tight: the bits that reset the four compression streams.
_RESET_STREAMS = 0x0F

# What a flush leaves at the end of compressed data: an empty block, after
# which the next one begins at a whole byte.
_FLUSHED = b"\0\0\xff\xff"

_ZLIB_HEADER_LENGTH = 2
_DEFLATE = 8
_DICTIONARY = 0x20


class RectangleParser(MessageParser):
    """Follows the data of rectangles.

    Compressed data of some encodings continues a stream that began with the
    session.  ``_restart_streams`` lets a new display start over: what it sends
    first is changed such that the viewer takes it for a continuation.
    """

    def __init__(self, state: SessionState) -> None:
        """Follow the rectangles of a session."""
        self._state = state
        # Encodings with compression streams, and whether their last data
        # ended at a whole byte.
        self._streams: dict[int, bool] = {}
        # Those of which the viewer still has the stream of an old display.
        self._stale: set[int] = set()
        super().__init__()

    def _restart_streams(self) -> bool:
        """Expect new compression streams; return whether that is possible."""
        self._stale = set(self._streams)
        return all(self._streams.values())

    def _rectangle(self, rectangle: Rectangle, pixel: PixelFormat) -> Steps:
        """Follow the data of a rectangle.

        :raises UnknownMessageError: its encoding is unknown
        """
        length = LENGTHS.get(rectangle.encoding)
        if length is not None:
            self._skip(length(rectangle, pixel.size))
            return
        follow = self._FOLLOWERS.get(rectangle.encoding)
        if follow is None:
            raise UnknownMessageError(f"encoding {rectangle.encoding}")
        yield from follow(self, rectangle, pixel)

    def _rre(self, _: Rectangle, pixel: PixelFormat) -> Steps:
        count = int.from_bytes((yield 4))
        self._skip(pixel.size + count * (pixel.size + 8))

    def _corre(self, _: Rectangle, pixel: PixelFormat) -> Steps:
        count = int.from_bytes((yield 4))
        self._skip(pixel.size + count * (pixel.size + 4))

    def _hextile(self, rectangle: Rectangle, pixel: PixelFormat) -> Steps:
        size = pixel.size
        for top in range(0, rectangle.height, 16):
            height = min(16, rectangle.height - top)
            for left in range(0, rectangle.width, 16):
                tile = (yield 1)[0]
                if tile & 1:  # raw
                    width = min(16, rectangle.width - left)
                    self._remaining += width * height * size
                    continue
                # Background and foreground are pixels.
                self._remaining += (0, size, size, 2 * size)[tile >> 1 & 3]
                if tile & 8:  # subrectangles
                    count = (yield 1)[0]
                    # Each may have its own color.
                    each = size + 2 if tile & 16 else 2
                    self._remaining += count * each

    def _zlib(self, rectangle: Rectangle, _: PixelFormat) -> Steps:
        """Follow the encodings zlib and ZRLE.

        The viewer continues to decompress the same stream.  A stream begins
        with a header, which must not appear in its middle, and consists of
        blocks, which may follow those of the old display because none of them
        was the last one and they end at a whole byte.
        """
        length = int.from_bytes((yield 4))
        # ZYWRLE, a variant of ZRLE, has the same stream.
        stream = min(rectangle.encoding, ZRLE)
        if stream in self._stale:
            if length < _ZLIB_HEADER_LENGTH:
                raise UnknownMessageError("compressed data without a header")
            length -= _ZLIB_HEADER_LENGTH
            self._replace(length.to_bytes(4))
            header = yield _ZLIB_HEADER_LENGTH
            if (
                header[0] & 0x0F != _DEFLATE
                or header[1] & _DICTIONARY
                or int.from_bytes(header) % 31
            ):
                raise UnknownMessageError("compressed data without a header")
            self._replace(b"")
            self._stale.discard(stream)
        self._skip(max(0, length - len(_FLUSHED)))
        end = yield min(length, len(_FLUSHED))
        if end:
            self._streams[stream] = end == _FLUSHED

    def _tight(self, rectangle: Rectangle, pixel: PixelFormat) -> Steps:
        """Follow the encoding Tight, and its variant with PNG pictures."""
        control = (yield 1)[0]
        self._streams[TIGHT] = True
        if TIGHT in self._stale:
            self._replace(bytes((control | _RESET_STREAMS,)))
            self._stale.discard(TIGHT)
        kind = control >> 4
        if kind == 8:  # fill
            self._skip(_tight_size(pixel))
        elif kind == 9 or (kind == 10 and rectangle.encoding != TIGHT):
            yield from self._compact()  # JPEG, PNG
        elif kind < 8:  # basic compression
            yield from self._tight_basic(rectangle, pixel, kind)
        else:
            raise UnknownMessageError(f"Tight compression {kind}")

    def _tight_basic(
        self, rectangle: Rectangle, pixel: PixelFormat, kind: int
    ) -> Steps:
        # Bit 2 means that a filter follows.
        name = (yield 1)[0] if kind & 4 else 0
        if name == 1:  # palette
            count = (yield 1)[0] + 1
            self._skip(count * _tight_size(pixel))
            length = rectangle.mask_length if count == 2 else rectangle.area
        elif name in (0, 2):  # copy, gradient
            length = rectangle.area * _tight_size(pixel)
        else:
            raise UnknownMessageError(f"Tight filter {name}")
        if length < _MIN_TO_COMPRESS:
            self._skip(length)
        else:
            yield from self._compact()

    def _compact(self) -> Steps:
        """Skip data with a length of one to three bytes before it."""
        length = 0
        for shift in (0, 7, 14):
            byte = (yield 1)[0]
            length |= (byte & 0x7F if shift < 14 else byte) << shift
            if byte < 0x80:
                break
        self._skip(length)

    def _desktop_size(self, rectangle: Rectangle, _: PixelFormat) -> Steps:
        self._state.size = (rectangle.width, rectangle.height)
        yield from ()

    def _extended_desktop_size(
        self, rectangle: Rectangle, _: PixelFormat
    ) -> Steps:
        self._state.announced.add(Extension.SET_DESKTOP_SIZE)
        # A request that was refused has a status in y, and no size.
        if not (rectangle.x == 1 and rectangle.y):
            self._state.size = (rectangle.width, rectangle.height)
        screens = (yield 4)[0]
        self._skip(16 * screens)

    def _desktop_name(self, _: Rectangle, _pixel: PixelFormat) -> Steps:
        self._skip(int.from_bytes((yield 4)))

    def _alpha_cursor(self, rectangle: Rectangle, _: PixelFormat) -> Steps:
        encoding = int.from_bytes((yield 4), signed=True)
        if encoding != RAW:
            raise UnknownMessageError(f"a cursor in encoding {encoding}")
        self._skip(4 * rectangle.area)

    def _vmware_cursor(
        self, rectangle: Rectangle, pixel: PixelFormat
    ) -> Steps:
        kind = (yield 2)[0]
        # Two masks of pixels, or pixels with transparency.
        self._skip(rectangle.area * (4 if kind else 2 * pixel.size))

    def _vmware_pixel_format(self, _: Rectangle, _pixel: PixelFormat) -> Steps:
        encoded = yield PIXEL_FORMAT_LENGTH
        self._state.pixel_format = PixelFormat.decode(encoded)

    def _extended_keys(self, _: Rectangle, _pixel: PixelFormat) -> Steps:
        self._state.announced.add(Extension.EXTENDED_KEYS)
        yield from ()

    def _audio(self, _: Rectangle, _pixel: PixelFormat) -> Steps:
        self._state.announced.add(Extension.AUDIO)
        yield from ()

    def _extended_mouse(self, _: Rectangle, _pixel: PixelFormat) -> Steps:
        self._state.announced.add(Extension.EXTENDED_MOUSE_BUTTONS)
        self._state.has_extended_mouse_buttons = True
        yield from ()

    _FOLLOWERS: ClassVar[dict[int, Callable[..., Steps]]] = {
        2: _rre,
        4: _corre,
        5: _hextile,
        6: _zlib,
        TIGHT: _tight,
        ZRLE: _zlib,
        17: _zlib,
        -260: _tight,
        DESKTOP_SIZE: _desktop_size,
        -258: _extended_keys,
        -259: _audio,
        -307: _desktop_name,
        EXTENDED_DESKTOP_SIZE: _extended_desktop_size,
        -314: _alpha_cursor,
        -316: _extended_mouse,
        0x574D5664: _vmware_cursor,
        0x574D5669: _vmware_pixel_format,
    }


def _tight_size(pixel: PixelFormat) -> int:
    if pixel.tight_size is None:
        raise UnknownMessageError("an ambiguous pixel format")
    return pixel.tight_size
