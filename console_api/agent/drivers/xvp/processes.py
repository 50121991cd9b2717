# SPDX-License-Identifier: Apache-2.0
"""The processes of xvp: its master, and one for each of its sessions.

xvp overwrites its command line, and its pid file is not reliable: xvp writes
it late, without a lock, and a second xvp deletes it.  What no process of xvp
can hide is the log file that it has open.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from console_api.agent.drivers.xvp import ports

#: The command line of the master, and of a session before it is known which.
MASTER = "xvp: master"

_TITLE = "xvp: "

# Interval, in seconds, between checks whether they have exited.
_INTERVAL = 0.02


@dataclass(frozen=True, slots=True)
class Process:
    """A process of xvp.

    ``title`` is its command line, as xvp or the agent has set it.
    """

    pid: int
    title: str


class AdoptedProcess:
    """A running process that another agent has started.

    It has what is used of ``asyncio.subprocess.Process``.
    """

    def __init__(self, pid: int) -> None:
        """Watch a process.

        :raises OSError: it has exited
        """
        self.pid = pid
        #: None while the process is running; its exit status is unknown.
        self.returncode: int | None = None
        self._handle = os.pidfd_open(pid)

    async def wait(self) -> int:
        """Wait until the process has exited; called once."""
        loop = asyncio.get_running_loop()
        exited = asyncio.Event()
        loop.add_reader(self._handle, exited.set)
        try:
            await exited.wait()
        finally:
            loop.remove_reader(self._handle)
            os.close(self._handle)
        self.returncode = 0
        return self.returncode


class Processes:
    """Finds and ends the processes of the xvp of one agent."""

    def __init__(self, log: Path, arguments: Sequence[str]) -> None:
        """Prepare.

        :param log: the log file of xvp; it may have been renamed or deleted
            since a process opened it
        :param arguments: how the command line of xvp ends until xvp
            overwrites it
        """
        self._log = str(log)
        self._end = "\0".join(["", *arguments])

    def find(self) -> list[Process]:
        """Return all processes of xvp that are running, sessions included."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                title = self._title(folder)
                if title is not None:
                    found.append(Process(int(folder.name), title))
        return found

    def find_master(self) -> int | None:
        """Return the ID of a running master, None if there is not just one.

        It leads a process group that all other processes of xvp belong to.
        """
        groups = set()
        for process in self.find():
            # It may have exited.
            with contextlib.suppress(ProcessLookupError):
                groups.add((os.getpgid(process.pid), process.pid))
        leaders = {group for group, pid in groups if group == pid}
        if len({group for group, _ in groups}) == 1 and leaders:
            return leaders.pop()
        return None

    def share_ports(self, master: int) -> bool:
        """Return whether other processes than the master have ports open.

        One whose viewer is at the prompt for the password has closed them.
        """
        for process in self.find():
            if process.title == MASTER and process.pid != master:
                # It may have exited.
                with contextlib.suppress(OSError):
                    if ports.of_process(process.pid):
                        return True
        return False

    async def terminate(
        self,
        grace_time: float,
        chosen: Callable[[Process], bool] = lambda _: True,
    ) -> int:
        """End processes of xvp, and wait until they have exited.

        :param grace_time: seconds to exit in before they are killed
        :param chosen: returns whether to end a process
        :returns: the number of processes found
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace_time
        found = left = await self._find(chosen)
        self._signal(found, signal.SIGTERM)
        # A process that survives SIGKILL is blocked on a disk: then its ports
        # are in use, and that is reported.
        while left and loop.time() < deadline + 1:
            if loop.time() > deadline:
                self._signal(left, signal.SIGKILL)
            await asyncio.sleep(_INTERVAL)
            left = await self._find(chosen)
        return len(found)

    async def _find(self, chosen: Callable[[Process], bool]) -> list[Process]:
        found = await asyncio.to_thread(self.find)
        return [process for process in found if chosen(process)]

    def _signal(
        self, processes: Sequence[Process], number: signal.Signals
    ) -> None:
        for process in processes:
            # It may have exited.
            with contextlib.suppress(OSError):
                handle = os.pidfd_open(process.pid)
                try:
                    # Its number may be that of another process by now.
                    if self._title(Path(f"/proc/{process.pid}")):
                        signal.pidfd_send_signal(handle, number)
                finally:
                    os.close(handle)

    def _title(self, folder: Path) -> str | None:
        """Return the command line of a process, None if it is not of xvp."""
        try:
            line = os.fsdecode((folder / "cmdline").read_bytes()).rstrip("\0")
            if not line.startswith(_TITLE) and not line.endswith(self._end):
                return None
            files = list((folder / "fd").iterdir())
        except OSError:
            # It has exited, or is another user's.
            return None
        # Not just by name: there may be an xvp of another agent.
        return line if any(map(self._is_log, files)) else None

    def _is_log(self, file: Path) -> bool:
        try:
            return str(file.readlink()).startswith(self._log)
        except OSError:
            # It has been closed.
            return False
