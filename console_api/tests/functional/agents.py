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
from collections.abc import Sequence
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
        self._systemd = self._listen()
        with self._log.open("a") as log:
            environment = {
                **os.environ,
                conf.ENVIRONMENT: str(folder),
                "NOTIFY_SOCKET": self._systemd.getsockname(),
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
        #: The process that serves the consoles.
        self.pid = self.process.pid
        self._successors: list[int] = []
        atexit.register(self.kill)
        if self.wait_for_notification("READY=1") is None:
            self.kill()
            raise NotReady(self.log)

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
        for pid in self._successors:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self._systemd.close()

    def reload(self) -> None:
        """Send SIGHUP, and wait until another process serves the consoles."""
        self.request_reload()
        state = self.wait_for_notification("MAINPID=")
        assert state is not None, self.log
        self.pid = int(state.splitlines()[0].partition("=")[2])
        self._successors.append(self.pid)

    def request_reload(self) -> None:
        """Send SIGHUP, and wait until the agent has received it."""
        self._discard_notifications()
        os.kill(self.pid, signal.SIGHUP)
        assert self.wait_for_notification("RELOADING=1"), self.log

    def wait_for_notification(self, prefix: str) -> str | None:
        """Return the next notification of systemd that begins so.

        :returns: None if the first process has exited, or after a while
        """
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(TimeoutError):
                state = self._systemd.recv(100).decode()
                if state.startswith(prefix):
                    return state
        return None

    def _discard_notifications(self) -> None:
        """Make room: the agent does not wait for a reader."""
        with contextlib.suppress(TimeoutError):
            while self._systemd.recv(100):
                pass

    def _listen(self) -> socket.socket:
        path = self.folder / "notify"
        path.unlink(missing_ok=True)
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.bind(str(path))
        receiver.settimeout(0.1)
        return receiver


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


def listening_ports(pid: int) -> set[int]:
    """Return the TCP ports on which a process listens."""
    sockets = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
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
