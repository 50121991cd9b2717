# SPDX-License-Identifier: Apache-2.0
"""Run the deployment examples from their own files."""

import atexit
import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from console_api import conf
from console_api.tests.functional import client, configuration
from console_api.tests.functional.services import wait_until_listening

FOLDER = configuration.CHECKOUT / "etc" / "console_api" / "deploy"

# Maximum seconds until a program exits on a busy machine.
TIMEOUT = 40


def write(name: str, folder: Path, changes: Mapping[str, str]) -> Path:
    """Write an example with the paths, ports and users of a test.

    :param changes: replacements by original text, which must be present, so
        that the test cannot drift from the example
    :returns: the path of the file
    """
    text = (FOLDER / name).read_text()
    for old, new in changes.items():
        if old not in text:
            raise AssertionError(f"{name} does not contain {old!r}")
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text)
    return path


def exec_start(unit: Path) -> list[str]:
    """Return the command of a systemd unit."""
    [line] = [
        line
        for line in unit.read_text().splitlines()
        if line.startswith("ExecStart=")
    ]
    return shlex.split(line.removeprefix("ExecStart="))


class Program:
    """A program that serves the API, or a proxy in front of it."""

    def __init__(
        self,
        folder: Path,
        arguments: list[str],
        port: int,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start the program in a new session and wait until it listens.

        :param folder: for the configuration and the logs, ``*.log``
        :param port: where it listens
        :param environment: variables to add
        """
        self.folder = folder
        self.port = port
        with (folder / "output.log").open("ab") as log:
            self.process = subprocess.Popen(
                # The kernel terminates it if the tests are killed.
                ["setpriv", "--pdeathsig", "TERM", *arguments],
                cwd=folder,
                env={
                    **os.environ,
                    conf.ENVIRONMENT: str(folder),
                    **(environment or {}),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        atexit.register(self.kill)
        self._wait_until_it_listens()

    @property
    def log(self) -> str:
        """Everything that it has logged so far, in all files."""
        return "\n".join(
            path.read_text(errors="replace")
            for path in sorted(self.folder.glob("*.log"))
        )

    def client(self, **kwargs) -> client.Client:
        """Return a client of the API."""
        return client.Client(self, **kwargs)

    def terminate(self) -> None:
        """Send SIGTERM, as systemd does."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait until it exits; return the exit status."""
        try:
            return self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            raise AssertionError(self.log) from None

    def processes(self) -> list[int]:
        """Return the ids of its running processes."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = path.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.process.pid and fields[0] != "Z":
                    found.append(int(path.parent.name))
        return found

    def kill(self) -> None:
        """Kill all its processes."""
        atexit.unregister(self.kill)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for process in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def _wait_until_it_listens(self) -> None:
        if not wait_until_listening(self.process, self.port):
            self.kill()
            raise AssertionError(self.log)
