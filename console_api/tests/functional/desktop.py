# SPDX-License-Identifier: Apache-2.0
"""An X server in which viewers with windows run, used through VNC."""

import os
import struct
import subprocess
from typing import Self

from PIL import Image

from console_api.tests.functional import configuration, vnc_servers
from console_api.tests.functional.rfb_client import RFBClient

WIDTH, HEIGHT = 640, 480

RETURN = 0xFF0D


class Screen(RFBClient):
    """Sees the screen of an X server, and uses its mouse and keyboard."""

    def __enter__(self) -> Self:
        """Connect without authentication."""
        self.receive(12)
        self.send(b"RFB 003.008\n\1")
        self.receive(2 + 4)
        self.send(b"\1")
        self._size = struct.unpack(">HH", self.receive(4))
        self.receive(16)
        self.receive(int.from_bytes(self.receive(4)))
        # Pixels of 4 bytes, in the order of Pillow's BGRX; raw encoding.
        self.send(b"\0\0\0\0" + bytes((32, 24, 0, 1)))
        self.send(struct.pack(">HHHBBB", 255, 255, 255, 16, 8, 0) + bytes(3))
        self.send(struct.pack(">BxHI", 2, 1, 0))
        return self

    def picture(self) -> Image.Image:
        """Return a screenshot."""
        self.send(struct.pack(">BBHHHH", 3, 0, 0, 0, *self._size))
        picture = Image.new("RGB", self._size)
        _, count = struct.unpack(">BxH", self.receive(4))
        for _ in range(count):
            x, y, width, height, _ = struct.unpack(">HHHHi", self.receive(12))
            data = self.receive(4 * width * height)
            part = Image.frombytes("RGB", (width, height), data, "raw", "BGRX")
            picture.paste(part, (x, y))
        return picture

    def point(self, x: int, y: int) -> None:
        """Move the mouse."""
        self.send(struct.pack(">BBHH", 5, 0, x, y))

    def type(self, *keys: int) -> None:
        """Press keys one after another, given by their X keysyms."""
        for key in keys:
            for is_down in (1, 0):
                self.send(struct.pack(">BBxxI", 4, is_down, key))


class Desktop:
    """An X server with programs that stop with it."""

    def __init__(self) -> None:
        """Start the X server."""
        self._server = vnc_servers.xvnc(None, "-geometry", f"{WIDTH}x{HEIGHT}")
        self._home = configuration.temporary_folder()
        self._errors = self._home / "errors"
        self._programs: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a program with a window."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._home),
            "DISPLAY": f":{self._server.port}",
            "NO_AT_BRIDGE": "1",
        }
        with self._errors.open("ab") as errors:
            program = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        self._programs.append(program)
        return program

    @property
    def errors(self) -> str:
        """What the programs have written to standard error."""
        return self._errors.read_text(errors="replace")

    @property
    def port(self) -> int:
        """The port of the X server, and the number of its display."""
        return self._server.port

    def screen(self) -> Screen:
        """Return a connection to the screen; enter it to use it."""
        return Screen(self._server.port)

    def stop(self) -> None:
        """Stop the programs and the X server."""
        for program in self._programs:
            program.kill()
            program.wait()
        self._server.stop()


def contains(screen: Image.Image, picture: Image.Image) -> bool:
    """Return whether a screen shows a picture somewhere, pixel by pixel."""
    width, height = picture.size
    wanted = picture.tobytes()
    for y in range(screen.height - height + 1):
        row = screen.crop((0, y, screen.width, y + 1)).tobytes()
        start = row.find(wanted[: 3 * width])
        while start >= 0:
            x, remainder = divmod(start, 3)
            area = (x, y, x + width, y + height)
            if remainder == 0 and screen.crop(area).tobytes() == wanted:
                return True
            start = row.find(wanted[: 3 * width], start + 1)
    return False
