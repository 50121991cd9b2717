# SPDX-License-Identifier: Apache-2.0
"""``console-api-agent`` as a program of its own, for tests."""

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from console_api import conf
from console_api.cmd import agent
from console_api.tests.functional import configuration, processes
from console_api.tests.functional.configuration import Options
from console_api.tests.functional.databases import TestDatabase
from console_api.tests.ports import free_range

# Seconds that a start, an end and a change may take on a busy machine.
TIMEOUT = 60


class NotReady(Exception):
    """The agent has ended instead of starting; carries what it logged."""


class Agent:
    """An agent, as its operator has configured it."""

    def __init__(
        self, folder: Path, command: Sequence[str] | None = None
    ) -> None:
        """Start it, and wait until systemd would know that it is ready.

        :param command: how, if not as an operator does by hand
        """
        self.folder = folder
        self._log = folder / "agent.log"
        self.process: processes.Program | subprocess.Popen[bytes]
        with self._systemd() as told, self._log.open("a") as log:
            environment = {
                **os.environ,
                conf.ENVIRONMENT: str(folder),
                "NOTIFY_SOCKET": told.getsockname(),
            }
            if command:
                self.process = subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            else:
                self.process = processes.Program(
                    _main, [str(folder)], environment, log.fileno()
                )
            atexit.register(self.kill)
            self._wait_until_ready(told)

    @property
    def log(self) -> str:
        """All that it has logged until now."""
        return self._log.read_text(errors="replace")

    def stop(self) -> int:
        """Ask it to end; return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(TIMEOUT)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it as a crash would."""
        atexit.unregister(self.kill)
        self.process.kill()
        self.process.wait()

    @contextlib.contextmanager
    def _systemd(self) -> Iterator[socket.socket]:
        path = self.folder / "notify"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(str(path))
            told.settimeout(0.1)
            yield told

    def _wait_until_ready(self, told: socket.socket) -> None:
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(TimeoutError):
                if told.recv(100) == b"READY=1":
                    return
        self.kill()
        raise NotReady(self.log)


def _main(folder: str) -> None:
    """Become the agent, as if it had been started from a command line."""
    sys.argv = ["console-api-agent", "--config-dir", folder]
    agent.main()


def configure(
    database: TestDatabase, host: str, options: Options | None = None
) -> Path:
    """Write the configuration of an agent; see `configuration.write`.

    :param options: take the place of those that every test has; None leaves
        one out
    """
    groups = {
        "agent": {
            "host": host,
            "public_hostname": "127.0.0.1",
            "ports": free_range(10),
            "poll_interval": "0.1",
        },
        "vnc": {"listen_address": "127.0.0.1"},
    }
    for group, values in (options or {}).items():
        groups.setdefault(group, {}).update(values)
    groups = {
        group: {name: value for name, value in values.items() if value}
        for group, values in groups.items()
    }
    return configuration.write(
        configuration.temporary_folder(), database, groups
    )


def listening_ports(
    process: processes.Program | subprocess.Popen[bytes],
) -> set[int]:
    """Return the TCP ports on which a process listens, as the kernel says."""
    sockets = set()
    for entry in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            sockets.add(str(entry.readlink()))
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            listens = fields[3] == "0A"
            if listens and f"socket:[{fields[9]}]" in sockets:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports
