# SPDX-License-Identifier: Apache-2.0
"""The picture that a minimal viewer shows: raw pixels and zlib.

Written from RFC 6143 and rfbproto; shares no code with ``console_api.rfb``.
"""

import struct
import zlib

from PIL import Image

from console_api.tests.functional.rfb_client import RFBClient

RAW = 0
ZLIB = 6
_DESKTOP_SIZE = -223

# Pixels are sent as the bytes red, green, blue and padding.
_PIXEL_FORMAT = struct.pack(
    ">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 0, 8, 16
)


class Screen:
    """Receives pictures from a session."""

    def __init__(self, viewer: RFBClient, encoding: int) -> None:
        """Choose a format of pixels, an encoding and changes of size.

        :param viewer: has received ServerInit
        :param encoding: ``RAW`` or ``ZLIB``
        """
        self._viewer = viewer
        self.picture = Image.new("RGB", viewer.size)
        # It decompresses one stream from the beginning of the session on.
        self._stream = zlib.decompressobj()
        viewer.send(b"\0\0\0\0" + _PIXEL_FORMAT)
        viewer.send(struct.pack(">BxHii", 2, 2, encoding, _DESKTOP_SIZE))
        self.request(is_incremental=False)

    def request(self, *, is_incremental: bool = True) -> None:
        """Request an update."""
        size = self.picture.size
        self._viewer.send(
            struct.pack(">BBHHHH", 3, is_incremental, 0, 0, *size)
        )

    def receive_update(self) -> None:
        """Wait for an update and apply it.

        :raises EOFError: the session has ended
        """
        kind, count = struct.unpack(">BxH", self._receive(4))
        assert kind == 0, kind
        for _ in range(count):
            *place, encoding = struct.unpack(">HHHHi", self._receive(12))
            self._apply(*place, encoding)

    def _apply(
        self, x: int, y: int, width: int, height: int, encoding: int
    ) -> None:
        if encoding == _DESKTOP_SIZE:
            self.picture = Image.new("RGB", (width, height))
            return
        if encoding == ZLIB:
            length = int.from_bytes(self._receive(4))
            pixels = self._stream.decompress(self._receive(length))
        else:
            assert encoding == RAW, encoding
            pixels = self._receive(4 * width * height)
        part = Image.frombytes("RGBX", (width, height), pixels)
        self.picture.paste(part.convert("RGB"), (x, y))

    def _receive(self, count: int) -> bytes:
        data = self._viewer.receive(count)
        if len(data) < count:
            raise EOFError("The session has ended.")
        return data
