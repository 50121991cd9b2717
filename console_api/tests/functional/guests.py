# SPDX-License-Identifier: Apache-2.0
"""An emulated machine whose guest shows and echoes what it receives."""

import contextlib
import socket
from collections.abc import Iterator

from console_api.tests import prerequisites
from console_api.tests.functional import configuration
from console_api.tests.functional.services import Service
from console_api.tests.ports import free_ports
from console_api.tests.waiting import TIMEOUT

# A boot sector of our own.  A key from the keyboard goes to the screen and to
# the serial port; a byte from the serial port goes back to it.
#
#         xor  bx, bx          ; page 0 of the screen
#         xor  dx, dx          ; first serial port
#         mov  ax, 00e3h       ; initialize it: 9600 baud, 8N1
#         int  14h
#   next: mov  ah, 1           ; is there a key?
#         int  16h
#         jz   poll
#         mov  ah, 0           ; read it
#         int  16h
#         mov  ah, 0eh         ; write it to the screen
#         int  10h
#         mov  ah, 1           ; write it to the serial port
#         xor  dx, dx
#         int  14h
#   poll: mov  ah, 3           ; has the serial port received a byte?
#         xor  dx, dx
#         int  14h
#         test ah, 1
#         jz   next
#         mov  ah, 2           ; read it
#         int  14h
#         mov  ah, 1           ; write it back
#         int  14h
#         jmp  next
_CODE = bytes.fromhex(
    "31db 31d2 b8e300 cd14"
    "b401 cd16 740e b400 cd16 b40e cd10 b401 31d2 cd14"
    "b403 31d2 cd14 f6c401 74e1 b402 cd14 b401 cd14 ebd7"
)
_SECTOR = _CODE.ljust(510, b"\0") + b"\x55\xaa"


class Guest:
    """A QEMU with a display for VNC or SPICE, and a serial port."""

    def __init__(
        self, *more: str, spice: bool = False, vnc_options: str = ""
    ) -> None:
        """Start it.

        :param more: arguments of QEMU
        :param spice: whether its display speaks SPICE instead of VNC
        :param vnc_options: of QEMU's ``-vnc``
        """
        self.port, self.serial_port = free_ports(2)
        image = configuration.temporary_folder() / "boot.img"
        image.write_bytes(_SECTOR)
        display = (
            *("-vga", "std"),
            *("-vnc", f"127.0.0.1:{self.port - 5900}{vnc_options}"),
        )
        if spice:
            display = (
                *("-vga", "qxl", "-spice"),
                f"addr=127.0.0.1,port={self.port},disable-ticketing=on",
            )
        self._service = Service(
            prerequisites.find_program("qemu-system-x86_64"),
            *("-accel", "tcg", "-m", "32", "-nodefaults"),
            *("-display", "none", "-net", "none"),
            *("-drive", f"file={image},format=raw"),
            "-serial",
            f"tcp:127.0.0.1:{self.serial_port},server=on,wait=off",
            *display,
            *more,
            port=self.port,
        )

    @property
    def log(self) -> str:
        """Everything that QEMU printed until now."""
        return self._service.log

    def stop(self) -> None:
        """Stop it."""
        self._service.stop()

    @contextlib.contextmanager
    def keys(self) -> Iterator["Keys"]:
        """Read, inside the block, the keys that the guest receives."""
        with socket.create_connection(
            ("127.0.0.1", self.serial_port), TIMEOUT
        ) as connected:
            yield Keys(connected)


class Keys:
    """The keys that a guest has received."""

    def __init__(self, connected: socket.socket) -> None:
        """Read them from the serial port."""
        self._socket = connected

    def read(self, count: int) -> str:
        """Wait for a number of characters and return them."""
        data = b""
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            if not more:
                break
            data += more
        return data.decode("cp437")
