# SPDX-License-Identifier: Apache-2.0
"""The screen of the quickstart's sample server: a test picture.

A VNC server for one still picture, without authentication (RFC 6143).
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

# The version that is offered, and the one whose security handshake differs.
_VERSION_3_8 = b"RFB 003.008\n"
_VERSION_3_3 = b"RFB 003.003\n"

# Message types of clients; KeyEvent and PointerEvent are ignored, with the
# number of bytes that follow.
_SET_PIXEL_FORMAT, _SET_ENCODINGS, _UPDATE_REQUEST = 0, 2, 3
_IGNORED = {4: 7, 5: 5}
_CUT_TEXT = 6

# The longest clipboard, in bytes.
_MAX_CUT_TEXT = 2**20


@dataclass(frozen=True, slots=True)
class _PixelFormat:
    """The pixel format of a viewer (RFC 6143, section 7.4)."""

    bits: int
    big_endian: int
    maxima: Sequence[int]
    shifts: Sequence[int]

    @classmethod
    def parse(cls, data: bytes) -> "_PixelFormat":
        """Parse a format.

        :raises ValueError: it is not a true-colour format
        """
        bits, _, big, true, r, g, b, rs, gs, bs = struct.unpack(
            ">BBBBHHHBBB3x", data
        )
        if not true or bits not in (8, 16, 32):
            raise ValueError("Only true-colour formats are supported.")
        return cls(bits, big, (r, g, b), (rs, gs, bs))

    def encode(self, colour: Sequence[int]) -> bytes:
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


_FIRST_FORMAT = struct.pack(
    ">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0
)


@contextlib.contextmanager
def running(host: str) -> Iterator[int]:
    """Serve the picture in a thread until the end of the block.

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
    # A client that violates the protocol or disconnects is closed.
    with contextlib.suppress(OSError, EOFError, ValueError, struct.error):
        await _handshake(reader, writer)
        await _answer_requests(reader, writer)
    writer.close()


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


async def _answer_requests(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer update requests (RFC 6143, sections 7.5 and 7.6)."""
    pixels = _PixelFormat.parse(_FIRST_FORMAT)
    while True:
        [kind] = await reader.readexactly(1)
        if kind == _SET_PIXEL_FORMAT:
            pixels = _PixelFormat.parse((await reader.readexactly(19))[3:])
        elif kind == _UPDATE_REQUEST:
            incremental, *area = struct.unpack(
                ">BHHHH", await reader.readexactly(9)
            )
            # A still picture never has incremental updates.
            if not incremental:
                writer.write(_update(pixels, *area))
                await writer.drain()
        else:
            await _skip(reader, kind)


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
    elif kind in _IGNORED:
        await reader.readexactly(_IGNORED[kind])
    else:
        raise ValueError("Unknown message type.")


def _update(
    pixels: _PixelFormat, x: int, y: int, width: int, height: int
) -> bytes:
    """Return an update with a rectangle, clipped to the picture."""
    right, bottom = min(x + width, WIDTH), min(y + height, HEIGHT)
    x, y = min(x, right), min(y, bottom)
    colours = [pixels.encode(colour) for colour in _BARS]
    row = b"".join(colours[at // _BAR_WIDTH] for at in range(x, right))
    header = struct.pack(">BBHHHHHi", 0, 0, 1, x, y, right - x, bottom - y, 0)
    return header + row * (bottom - y)
