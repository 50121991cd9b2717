# SPDX-License-Identifier: Apache-2.0
"""The screen of the quickstart's sample server: a picture and what is typed.

A VNC server without authentication (RFC 6143).  The line of text is the same
for all viewers, as on a real screen.
"""

import asyncio
import contextlib
import struct
from dataclasses import dataclass

from console_api.cmd.quickstart import picture
from console_api.cmd.quickstart.picture import HEIGHT, WIDTH, Area, PixelFormat

_NAME = b"console_api test picture"

# The version that is offered, and the one whose security handshake differs.
_VERSION_3_8 = b"RFB 003.008\n"
_VERSION_3_3 = b"RFB 003.003\n"

# Message types of clients; PointerEvent is ignored.
_SET_PIXEL_FORMAT, _SET_ENCODINGS, _UPDATE_REQUEST = 0, 2, 3
_KEY_EVENT, _POINTER_EVENT, _CUT_TEXT = 4, 5, 6

# The longest clipboard, in bytes.
_MAX_CUT_TEXT = 2**20

# Keys that do not stand for themselves.
_BACKSPACE, _ENTER = 0xFF08, 0xFF0D

_PROMPT, _CURSOR = "> ", "_"

_FIRST_FORMAT = struct.pack(
    ">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0
)

_FIRST_PIXELS = PixelFormat.parse(_FIRST_FORMAT)


class Screen:
    """Shows the picture to all viewers, and what they type in a line."""

    def __init__(self) -> None:
        """Create a screen on which nothing was typed."""
        self._typed = ""
        self._viewers: set[_Viewer] = set()

    @property
    def text(self) -> str:
        """The line as it is shown: the end of what was typed."""
        line = f"{_PROMPT}{self._typed}{_CURSOR}"
        return line[-picture.COLUMNS :]

    def press(self, key: int) -> None:
        """Show a key, and update the viewers.

        :param key: the X Window System keysym; the backspace key deletes a
            character, Enter deletes the line
        """
        if key == _ENTER:
            self._typed = ""
        elif key == _BACKSPACE:
            self._typed = self._typed[:-1]
        elif key < 0x100 and chr(key).isprintable():
            self._typed = (self._typed + chr(key))[-picture.COLUMNS :]
        for viewer in self._viewers:
            viewer.update(self.text)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve a viewer until it disconnects or violates the protocol."""
        viewer = _Viewer(writer)
        self._viewers.add(viewer)
        try:
            # Cancelled when the quickstart stops.
            with contextlib.suppress(
                OSError,
                EOFError,
                ValueError,
                struct.error,
                asyncio.CancelledError,
            ):
                await _handshake(reader, writer)
                await self._answer(reader, viewer)
        finally:
            self._viewers.discard(viewer)
            writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, viewer: "_Viewer"
    ) -> None:
        """Answer messages of a viewer (RFC 6143, section 7.5)."""
        while True:
            [kind] = await reader.readexactly(1)
            if kind == _SET_PIXEL_FORMAT:
                data = (await reader.readexactly(19))[3:]
                viewer.pixels = PixelFormat.parse(data)
            elif kind == _UPDATE_REQUEST:
                incremental, x, y, width, height = struct.unpack(
                    ">BHHHH", await reader.readexactly(9)
                )
                viewer.request(incremental, (x, y, x + width, y + height))
                viewer.update(self.text)
                await viewer.writer.drain()
            elif kind == _KEY_EVENT:
                is_down, key = struct.unpack(
                    ">?2xI", await reader.readexactly(7)
                )
                if is_down:
                    self.press(key)
            else:
                await _skip(reader, kind)


@dataclass(eq=False, slots=True)
class _Viewer:
    """A viewer: its pixel format, and what it has requested and seen."""

    writer: asyncio.StreamWriter
    pixels: PixelFormat = _FIRST_PIXELS
    requested: Area | None = None
    shown: str | None = None

    def request(self, incremental: bool, area: Area) -> None:
        """Remember the area to update, clipped to the picture."""
        x, y, right, bottom = area
        if incremental:
            # Only the line of text changes.
            y = max(y, picture.TEXT_TOP)
        else:
            self.shown = None
        right, bottom = min(right, WIDTH), min(bottom, HEIGHT)
        self.requested = (min(x, right), min(y, bottom), right, bottom)

    def update(self, text: str) -> None:
        """Send what was requested, unless the viewer shows it already."""
        # Without a request nothing is sent, so that what a slow viewer does
        # not read stays bounded (RFC 6143, section 7.5.3).
        if self.requested is None or self.shown == text:
            return
        area = x, y, right, bottom = self.requested
        self.requested, self.shown = None, text
        size = (right - x, bottom - y)
        self.writer.write(struct.pack(">BBHHHHHi", 0, 0, 1, x, y, *size, 0))
        self.writer.write(picture.draw(text, self.pixels, area))


async def _handshake(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Run the handshake (RFC 6143, sections 7.1 and 7.3)."""
    writer.write(_VERSION_3_8)
    version = await reader.readexactly(len(_VERSION_3_8))
    if version <= _VERSION_3_3:
        writer.write(struct.pack(">I", 1))
    else:
        writer.write(b"\1\1")
        await reader.readexactly(1)
        if version >= _VERSION_3_8:
            writer.write(struct.pack(">I", 0))
    await reader.readexactly(1)
    writer.write(struct.pack(">HH", WIDTH, HEIGHT) + _FIRST_FORMAT)
    writer.write(struct.pack(">I", len(_NAME)) + _NAME)


async def _skip(reader: asyncio.StreamReader, kind: int) -> None:
    """Read and ignore the rest of a message."""
    if kind == _SET_ENCODINGS:
        _, count = struct.unpack(">BH", await reader.readexactly(3))
        await reader.readexactly(4 * count)
    elif kind == _CUT_TEXT:
        _, length = struct.unpack(">3sI", await reader.readexactly(7))
        if length > _MAX_CUT_TEXT:
            raise ValueError("The clipboard is too long.")
        await reader.readexactly(length)
    elif kind == _POINTER_EVENT:
        await reader.readexactly(5)
    else:
        raise ValueError("Unknown message type.")
