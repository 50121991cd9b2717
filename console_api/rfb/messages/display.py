# SPDX-License-Identifier: Apache-2.0
"""Messages from a display: RFC 6143, section 7.6, and extensions.

Extensions are specified by the community's version of the protocol
("rfbproto").
"""

import struct
from collections.abc import Callable
from typing import ClassVar

from console_api.rfb.messages.encodings import (
    HEADER,
    LAST_RECT,
    RAW,
    Rectangle,
)
from console_api.rfb.messages.parser import Steps, UnknownMessageError
from console_api.rfb.messages.rectangles import RectangleParser
from console_api.rfb.messages.state import (
    PIXEL_FORMAT_LENGTH,
    Extension,
    PixelFormat,
    SessionState,
)
from console_api.rfb.messages.viewer import (
    CONTINUOUS_UPDATES,
    FENCE,
    FENCE_REQUEST,
)

#: ServerInit without the name: RFC 6143, section 7.3.2.
SERVER_INIT = struct.Struct(f">HH{PIXEL_FORMAT_LENGTH}sI")

_UPDATE = 0
_COLOR_MAP = 1
_BELL = 2
_CUT_TEXT = 3
_XVP = 250
_QEMU = 255

_XVP_INIT = 1
_QEMU_AUDIO = 1
_AUDIO_DATA = 2

# How much of an interrupted update is made up, in bytes.
_MAX_COMPLETION = 16 * 1024 * 1024


class DisplayMessages(RectangleParser):
    """Follows what a display sends from ServerInit on."""

    def __init__(self, state: SessionState) -> None:
        """Start before ServerInit."""
        # Rectangles of the current update that have not begun.
        self._rectangles_left = 0
        self._is_raw = False
        super().__init__(state)

    def completion(self) -> bytes | None:
        """Return what completes the last message, None if impossible.

        Rectangles are made up, which the new display paints over: it sends a
        whole picture.
        """
        if self.is_at_boundary:
            return b""
        is_before_rectangle = (
            self._is_between_messages or self._needed == HEADER.size
        )
        is_payload_known = not self._remaining or self._is_raw
        pixel = self._state.pixel_format
        if self._forwarded or not (
            pixel and is_before_rectangle and is_payload_known
        ):
            return None
        black = HEADER.pack(0, 0, 1, 1, RAW) + bytes(pixel.size)
        count = self._rectangles_left
        if count and LAST_RECT in self._state.encoding_numbers:
            black, count = HEADER.pack(0, 0, 0, 0, LAST_RECT), 1
        if self._remaining + count * len(black) > _MAX_COMPLETION:
            return None
        return bytes(self._remaining) + count * black

    def restart(self) -> bool:
        """Follow another display, after its ServerInit.

        :returns: whether the viewer can decode what that will send
        """
        self.is_holding = True
        self._start(self._later_messages())
        return self._restart_streams()

    def _messages(self) -> Steps:
        yield from self._server_init()
        yield from self._later_messages()

    def _later_messages(self) -> Steps:
        while True:
            self._is_between_messages = True
            kind = (yield 1)[0]
            self._is_between_messages = self._is_raw = False
            handler = self._HANDLERS.get(kind)
            if handler is None:
                raise UnknownMessageError(
                    f"the display sent a message of type {kind}"
                )
            yield from handler(self)

    def _server_init(self) -> Steps:
        width, height, encoded, length = SERVER_INIT.unpack(
            (yield SERVER_INIT.size)
        )
        self._state.size = (width, height)
        if self._state.pixel_format is None:  # The viewer has not chosen one.
            self._state.pixel_format = PixelFormat.decode(encoded)
        self._skip(length)

    def _update(self) -> Steps:
        self._state.begin_update()
        has_picture = False
        self._rectangles_left = int.from_bytes((yield 3)[1:])
        while self._rectangles_left:
            rectangle = Rectangle.decode((yield HEADER.size))
            self._rectangles_left -= 1
            if rectangle.encoding == LAST_RECT:
                self._rectangles_left = 0
                break
            pixel = self._state.pixel_format
            if pixel is None:
                raise UnknownMessageError("an update without a pixel format")
            self._is_raw = rectangle.encoding == RAW
            has_picture |= rectangle.encoding >= 0
            yield from self._rectangle(rectangle, pixel)
        self._state.end_update()
        if has_picture:
            self._settle()

    def _settle(self) -> None:
        """Record that the display has sent a picture.

        :raises UnknownMessageError: the display does not support what the
            one before it supported, and the viewer relies on
        """
        state = self._state
        state.is_settled = True
        if state.continuous_updates:
            state.require(Extension.CONTINUOUS_UPDATES)
        if state.fences:
            state.require(Extension.FENCE)

    def _color_map(self) -> Steps:
        self._skip(6 * int.from_bytes((yield 5)[3:]))

    def _bell(self) -> Steps:
        yield from ()

    def _cut_text(self) -> Steps:
        length = int.from_bytes((yield 7)[3:], signed=True)
        if length < 0:
            self._state.announced.add(Extension.EXTENDED_CLIPBOARD)
        self._skip(abs(length))

    def _end_of_continuous_updates(self) -> Steps:
        state = self._state
        is_first = Extension.CONTINUOUS_UPDATES not in state.announced
        is_expected = state.expected_ends > 0
        state.end_continuous_updates()
        if state.is_replaced and is_first and state.continuous_updates:
            # The viewer has enabled them at the earlier display, and would
            # take the announcement for their end.
            state.to_display.append(CONTINUOUS_UPDATES)
            state.to_display += state.continuous_updates
            if not is_expected:
                self._replace(b"")
        yield from ()

    def _fence(self) -> Steps:
        body = yield 8
        self._skip(body[7])
        state = self._state
        is_first = Extension.FENCE not in state.announced
        state.announced.add(Extension.FENCE)
        if int.from_bytes(body[3:7]) & FENCE_REQUEST:
            state.display_fences += 1
        elif state.fences:
            del state.fences[0]
        if state.is_replaced and is_first:
            # The earlier display did not answer these.
            for fence in state.fences:
                state.to_display.append(FENCE)
                state.to_display += fence

    def _xvp(self) -> Steps:
        if (yield 3)[2] == _XVP_INIT:
            self._state.announced.add(Extension.XVP)

    def _qemu(self) -> Steps:
        kind = (yield 1)[0]
        if kind != _QEMU_AUDIO:
            raise UnknownMessageError(
                f"the display sent a message of type {_QEMU}, {kind}"
            )
        operation = int.from_bytes((yield 2))
        if operation == _AUDIO_DATA:
            self._skip(int.from_bytes((yield 4)))

    _HANDLERS: ClassVar[dict[int, Callable[..., Steps]]] = {
        _UPDATE: _update,
        _COLOR_MAP: _color_map,
        _BELL: _bell,
        _CUT_TEXT: _cut_text,
        CONTINUOUS_UPDATES: _end_of_continuous_updates,
        FENCE: _fence,
        _XVP: _xvp,
        _QEMU: _qemu,
    }
