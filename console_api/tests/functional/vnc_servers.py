# SPDX-License-Identifier: Apache-2.0
"""Real VNC servers for tests, and a real viewer: none of them is ours."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path
from typing import NoReturn

from PIL import Image

from console_api.tests.functional import configuration
from console_api.tests.unit.ports import free_port, is_free

#: Set to 1, it makes a program that is not installed an error.
REQUIRED = "CONSOLE_API_TEST_REQUIRE_PROGRAMS"

_VIEWER = str(Path(sys.executable).parent / "vncdo")

_TIMEOUT = 60


def program(name: str) -> str:
    """Find a program.

    :raises unittest.SkipTest: it is not installed, and need not be
    """
    found = shutil.which(name)
    if found is None:
        missing(f"{name} is not installed.")
    return found


def missing(message: str) -> NoReturn:
    """Leave out a test whose program is missing.

    :raises unittest.SkipTest: it need not be there
    """
    if os.environ.get(REQUIRED) == "1":
        raise RuntimeError(message)
    raise unittest.SkipTest(message)


class VNCServer:
    """A VNC server on the loopback address."""

    def __init__(self, *arguments: str, port: int) -> None:
        """Start it and wait until it listens."""
        self.port = port
        self._log = configuration.temporary_folder() / "log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        atexit.register(self.stop)
        deadline = time.monotonic() + _TIMEOUT
        while is_free(port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(self._log.read_text(errors="replace"))

    def stop(self) -> None:
        """End it at once, whatever state it is in."""
        atexit.unregister(self.stop)
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


def xvnc(password: str | None = None) -> VNCServer:
    """Start TigerVNC's X server, whose screen is white."""
    path = program("Xvnc")
    port = free_port()
    security = ("-SecurityTypes", "None")
    if password is not None:
        file = configuration.temporary_folder() / "passwd"
        made = subprocess.run(
            [program("vncpasswd"), "-f"],
            input=f"{password}\n".encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
        file.write_bytes(made.stdout)
        security = ("-SecurityTypes", "VncAuth", "-PasswordFile", str(file))
    return VNCServer(
        path,
        f":{port}",  # The number of the display has to be free as well.
        *("-rfbport", str(port), "-interface", "127.0.0.1"),
        *("-geometry", "320x240", "-depth", "24", "-wr", "-ac"),
        *("-nolisten", "tcp", "-BlacklistThreshold", "1000000"),
        *security,
        port=port,
    )


def qemu(*more: str, vnc_options: str = "") -> VNCServer:
    """Start a machine in software emulation, which shows its firmware."""
    path = program("qemu-system-x86_64")
    port = free_port()
    return VNCServer(
        path,
        *("-accel", "tcg", "-m", "32", "-nodefaults", "-vga", "std"),
        *("-display", "none", "-net", "none"),
        *("-vnc", f"127.0.0.1:{port - 5900}{vnc_options}"),
        *more,
        port=port,
    )


def capture(port: int, password: str | None = None) -> Image.Image:
    """See a screen as a person would, with a viewer that is not ours.

    :raises subprocess.CalledProcessError: the viewer was not let in
    """
    picture = configuration.temporary_folder() / "screen.png"
    asked = () if password is None else ("--password", password)
    subprocess.run(
        [
            *(_VIEWER, "--server", f"127.0.0.1::{port}"),
            *("--timeout", str(_TIMEOUT), *asked),
            *("capture", str(picture)),
        ],
        check=True,
        capture_output=True,
        timeout=2 * _TIMEOUT,
    )
    with Image.open(picture) as image:
        return image.convert("RGB")
