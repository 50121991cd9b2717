# SPDX-License-Identifier: Apache-2.0
"""``console-api-agent`` as a process, for tests."""

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
from console_api.tests.waiting import TIMEOUT


class NotReady(Exception):
    """The agent exited instead of starting; contains its log."""


class Agent:
    """A running agent."""

    def __init__(
        self, folder: Path, command: Sequence[str] | None = None
    ) -> None:
        """Start the agent and wait until it notifies systemd.

        :param folder: the directory with its configuration
        :param command: the command that starts it, if not the usual one
        :raises NotReady: it exited, or was not ready in time
        """
        self.folder = folder
        self._log = folder / "agent.log"
        self.process: processes.Program | subprocess.Popen[bytes]
        with self._systemd() as notifications, self._log.open("a") as log:
            environment = {
                **os.environ,
                conf.ENVIRONMENT: str(folder),
                "NOTIFY_SOCKET": notifications.getsockname(),
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
            self._wait_until_ready(notifications)

    @property
    def log(self) -> str:
        """Everything logged until now."""
        return self._log.read_text(errors="replace")

    def stop(self) -> int:
        """Send SIGTERM; return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(TIMEOUT)
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill the agent, as a crash would."""
        atexit.unregister(self.kill)
        self.process.kill()
        self.process.wait()

    @contextlib.contextmanager
    def _systemd(self) -> Iterator[socket.socket]:
        path = self.folder / "notify"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind(str(path))
            receiver.settimeout(0.1)
            yield receiver

    def _wait_until_ready(self, receiver: socket.socket) -> None:
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(TimeoutError):
                if receiver.recv(100) == b"READY=1":
                    return
        self.kill()
        raise NotReady(self.log)


def _main(folder: str) -> None:
    """Run the agent as from a command line."""
    sys.argv = ["console-api-agent", "--config-dir", folder]
    agent.main()


def configure(
    database: TestDatabase, host: str, options: Options | None = None
) -> Path:
    """Write the configuration of an agent.

    :param options: options by group, which override the common ones; None
        omits an option
    :returns: its directory
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
    """Return the TCP ports on which a process listens."""
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
