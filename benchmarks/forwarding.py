# SPDX-License-Identifier: Apache-2.0
"""The programs around a forwarded VNC session: its ends, and socat."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import programs, rfb_ends, stage

#: Environment variables of that command.
VARIABLES = {"PYTHONPATH": str(stage.ROOT)}


def command(*arguments: str) -> list[str]:
    """Return the command that runs one end; see ``rfb_ends``."""
    return [sys.executable, "-m", "benchmarks.rfb_ends", *arguments]


@contextmanager
def end(*arguments: str) -> Iterator[None]:
    """Run one end of the sessions in the background."""
    with subprocess.Popen(
        command(*arguments),
        env=programs.environment(VARIABLES),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            if process.stdout.readline() != b"ready\n":
                message = f"rfb_ends {arguments[0]} exited during start-up."
                raise programs.ProgramFailed(message)
            yield
        finally:
            process.kill()


@contextmanager
def display(port: int) -> Iterator[None]:
    """Run a display of ``websocket_ends`` inside the block."""
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "benchmarks.websocket_ends"),
            *("display", str(port)),
        ],
        env=programs.environment(VARIABLES),
        stdout=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            if process.stdout.readline() != b"ready\n":
                message = "The display exited during start-up."
                raise programs.ProgramFailed(message)
            yield
        finally:
            process.kill()


@contextmanager
def socat(options: list[str], screen_port: int) -> Iterator[int]:
    """Run socat for one connection and yield its port."""
    address, port = rfb_ends.ADDRESS, programs.free_port()
    with subprocess.Popen(
        [
            *("socat", *options),
            f"TCP-LISTEN:{port},bind={address},reuseaddr",
            f"TCP:{address}:{screen_port}",
        ],
        # It reports an error when the viewer disconnects.
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield port
        finally:
            process.kill()


def socat_version() -> str:
    """Return the version of the installed socat."""
    output = programs.run(["socat", "-V"])
    return next(
        line.split()[2]
        for line in output.splitlines()
        if line.startswith("socat version")
    )
