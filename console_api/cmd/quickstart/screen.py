# SPDX-License-Identifier: Apache-2.0
"""The screen of the quickstart's sample server: a small test picture.

A VNC server of one still picture, without authentication: RFC 6143.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from concurrent import futures
from dataclasses import dataclass

WIDTH, HEIGHT = 320, 240

_NAME = b"console_api test picture"

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

# Clients of other versions have to take 3.8, or go.
_VERSION = b"RFB 003.008\n"
_OLDEST = b"RFB 003.003\n"

# The types of messages, and how many bytes follow those of no interest here:
# keys and the pointer.
_SET_PIXEL_FORMAT, _SET_ENCODINGS, _UPDATE_REQUEST = 0, 2, 3
_IGNORED = {4: 7, 5: 5}
_CUT_TEXT = 6

# Nobody's clipboard is longer.
_MOST_TEXT = 2**20


@dataclass(frozen=True, slots=True)
class _PixelFormat:
    """How a viewer wants its pixels: RFC 6143, section 7.4."""

    bits: int
    big_endian: int
    maxima: Sequence[int]
    shifts: Sequence[int]

    @classmethod
    def parse(cls, data: bytes) -> "_PixelFormat":
        """Read a format; colour maps are not for this picture."""
        bits, _, big, true, r, g, b, rs, gs, bs = struct.unpack(
            ">BBBBHHHBBB3x", data
        )
        if not true or bits not in (8, 16, 32):
            raise ValueError("This picture has true colours only.")
        return cls(bits, big, (r, g, b), (rs, gs, bs))

    def encode(self, colour: Sequence[int]) -> bytes:
        """Return one pixel."""
        value = sum(
            one * most // 255 << shift
            for one, most, shift in zip(
                colour, self.maxima, self.shifts, strict=True
            )
        )
        return int(value % 2**self.bits).to_bytes(
            self.bits // 8, "big" if self.big_endian else "little"
        )


_FIRST_FORMAT = struct.pack(
    ">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0
)


@contextlib.contextmanager
def running(host: str) -> Iterator[int]:
    """Serve the picture from a thread of its own.

    :returns: the port
    """
    started: futures.Future[asyncio.AbstractEventLoop] = futures.Future()
    stopped = asyncio.Event()
    listening = socket.create_server((host, 0))

    async def serve() -> None:
        started.set_result(asyncio.get_running_loop())
        async with await asyncio.start_server(_serve, sock=listening):
            await stopped.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        started.result().call_soon_threadsafe(stopped.set)
        thread.join()


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    # Whoever breaks the protocol or goes is no longer served.
    with contextlib.suppress(OSError, EOFError, ValueError, struct.error):
        await _shake_hands(reader, writer)
        await _show(reader, writer)
    writer.close()


async def _shake_hands(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """RFC 6143, section 7.1 and 7.3, without authentication."""
    writer.write(_VERSION)
    version = await reader.readexactly(len(_VERSION))
    if version <= _OLDEST:
        writer.write(struct.pack(">I", 1))
    else:
        writer.write(b"\1\1")
        await reader.readexactly(1)
        if version >= _VERSION:
            writer.write(struct.pack(">I", 0))
    await reader.readexactly(1)
    writer.write(struct.pack(">HH", WIDTH, HEIGHT) + _FIRST_FORMAT)
    writer.write(struct.pack(">I", len(_NAME)) + _NAME)


async def _show(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer each request for the picture: RFC 6143, section 7.5 and 7.6."""
    pixels = _PixelFormat.parse(_FIRST_FORMAT)
    while True:
        [kind] = await reader.readexactly(1)
        if kind == _SET_PIXEL_FORMAT:
            pixels = _PixelFormat.parse((await reader.readexactly(19))[3:])
        elif kind == _UPDATE_REQUEST:
            incremental, *area = struct.unpack(
                ">BHHHH", await reader.readexactly(9)
            )
            # The picture is still: there is nothing new to show, ever.
            if not incremental:
                writer.write(_update(pixels, *area))
                await writer.drain()
        else:
            await _skip(reader, kind)


async def _skip(reader: asyncio.StreamReader, kind: int) -> None:
    """Read the rest of a message that changes nothing."""
    if kind == _SET_ENCODINGS:
        _, count = struct.unpack(">BH", await reader.readexactly(3))
        await reader.readexactly(4 * count)
    elif kind == _CUT_TEXT:
        _, length = struct.unpack(">3sI", await reader.readexactly(7))
        if length > _MOST_TEXT:
            raise ValueError("Nobody's clipboard is as long.")
        await reader.readexactly(length)
    elif kind in _IGNORED:
        await reader.readexactly(_IGNORED[kind])
    else:
        raise ValueError("Nobody knows this message.")


def _update(
    pixels: _PixelFormat, x: int, y: int, width: int, height: int
) -> bytes:
    """Return a rectangle of the picture, within its bounds."""
    right, bottom = min(x + width, WIDTH), min(y + height, HEIGHT)
    x, y = min(x, right), min(y, bottom)
    colours = [pixels.encode(colour) for colour in _BARS]
    row = b"".join(colours[at // _BAR_WIDTH] for at in range(x, right))
    header = struct.pack(">BBHHHHHi", 0, 0, 1, x, y, right - x, bottom - y, 0)
    return header + row * (bottom - y)
