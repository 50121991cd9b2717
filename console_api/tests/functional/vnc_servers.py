# SPDX-License-Identifier: Apache-2.0
"""Third-party displays and a third-party viewer, for tests."""

import subprocess
import sys
from pathlib import Path

from PIL import Image

from console_api.tests import prerequisites
from console_api.tests.functional import configuration
from console_api.tests.functional.services import Service
from console_api.tests.ports import free_port

_VIEWER = str(Path(sys.executable).parent / "vncdo")

_TIMEOUT = 60


def xvnc(password: str | None = None, *more: str) -> Service:
    """Start TigerVNC's X server, with a white screen by default.

    With a password, it offers VNC authentication, and anonymous TLS as well
    (VeNCrypt): its defaults.
    """
    path = prerequisites.find_program("Xvnc")
    port = free_port()
    security = ("-SecurityTypes", "None")
    if password is not None:
        file = password_file(password)
        security = ("-PasswordFile", str(file))
    return Service(
        path,
        f":{port}",  # The number of the X display, which is free as well.
        *("-rfbport", str(port), "-interface", "127.0.0.1"),
        *("-geometry", "320x240", "-depth", "24", "-wr", "-ac"),
        *("-nolisten", "tcp", "-BlacklistThreshold", "1000000"),
        *security,
        *more,
        port=port,
    )


def password_file(password: str) -> Path:
    """Return a file with a password in the format of TigerVNC."""
    file = configuration.temporary_folder() / "passwd"
    made = subprocess.run(
        [prerequisites.find_program("vncpasswd"), "-f"],
        input=f"{password}\n".encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    file.write_bytes(made.stdout)
    return file


def qemu(*more: str, vnc_options: str = "") -> Service:
    """Start an emulated machine, which displays its firmware."""
    port = free_port()
    display = f"127.0.0.1:{port - 5900}{vnc_options}"
    return _machine(port, "-vnc", display, *more)


def qemu_spice(*more: str) -> Service:
    """Start an emulated machine with a SPICE display."""
    port = free_port()
    display = f"addr=127.0.0.1,port={port},disable-ticketing=on"
    return _machine(port, "-spice", display, *more)


def _machine(port: int, *arguments: str) -> Service:
    return Service(
        prerequisites.find_program("qemu-system-x86_64"),
        *("-accel", "tcg", "-m", "32", "-nodefaults", "-vga", "std"),
        *("-display", "none", "-net", "none"),
        *arguments,
        port=port,
    )


def capture(port: int, password: str | None = None) -> Image.Image:
    """Return a screenshot of a display, taken with vncdotool.

    :raises subprocess.CalledProcessError: the viewer was refused
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
