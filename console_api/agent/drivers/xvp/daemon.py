# SPDX-License-Identifier: Apache-2.0
"""Supervision of the xvp process.

xvp runs in the foreground, so that its exit is noticed at once.  It forks a
process for each viewer, which closes all files that xvp may have open, one by
one: until it has closed the ports, a reload of xvp or a new xvp cannot open
them and exits.  Therefore xvp gets a small limit of open files, a reload waits
for such processes, and after the death of xvp they are ended.
"""

import asyncio
import contextlib
import logging
import os
import signal
from asyncio.subprocess import DEVNULL
from asyncio.subprocess import Process as ChildProcess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from console_api.agent.drivers.xvp import limits, log, ports, state_dir
from console_api.agent.drivers.xvp.processes import AdoptedProcess, Processes
from console_api.agent.drivers.xvp.sessions import SessionCleaner

LOG = logging.getLogger(__name__)

# Interval, in seconds, between checks of the ports; it doubles each time.
_MIN_INTERVAL = 0.005
_MAX_INTERVAL = 0.1

# Interval, in seconds, between checks of the log and the sessions.
_CHECK_INTERVAL = 5.0

# Seconds that a reload waits for processes that still have the ports open.
_FORK_TIMEOUT = 1.0


class Daemon:
    """Supervise at most one xvp process, in its own directory.

    Its methods must not be called concurrently.
    """

    def __init__(
        self,
        binary: str,
        folder: Path,
        timeout: float,
        on_exit: Callable[[], None],
    ) -> None:
        """Prepare; ``serve`` starts the process.

        :param binary: the path of xvp
        :param folder: an existing directory for its files
        :param timeout: in seconds, for opening its ports, and for exiting
        :param on_exit: called whenever the process has exited
        """
        self._binary = binary
        self._config = folder / "xvp.conf"
        #: The log file of xvp.
        self.log = folder / "xvp.log"
        self._pid_file = folder / "xvp.pid"
        self._arguments = [
            *("-n", "-c", str(self._config)),
            *("-l", str(self.log), "-p", str(self._pid_file)),
        ]
        self._timeout = timeout
        self._on_exit = on_exit
        self._processes = Processes(self.log, self._arguments)
        self._sessions = SessionCleaner(self._processes)
        self._process: ChildProcess | AdoptedProcess | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._text = ""
        self._ports: frozenset[int] = frozenset()
        #: The number of the line for which xvp refused the last file, if any.
        self.refused_line: int | None = None

    @property
    def is_running(self) -> bool:
        """Whether the process is running."""
        return self._process is not None and self._process.returncode is None

    @property
    def text(self) -> str:
        """The file that xvp serves, empty while it is not running."""
        return self._text if self.is_running else ""

    @property
    def ports(self) -> frozenset[int]:
        """The ports that xvp has open."""
        return self._ports if self.is_running else frozenset()

    async def serve(self, text: str, wanted: frozenset[int]) -> bool:
        """Make xvp serve a file, and start it if it is not running.

        :param text: a file that xvp accepts; if it is empty, xvp is stopped
        :param wanted: the ports that xvp opens for the file
        :returns: whether xvp is running and has all these ports open
        :raises OSError: the file cannot be written; nothing has changed
        """
        if not text:
            await self.stop()
            return True
        self.refused_line = None
        await asyncio.to_thread(state_dir.write, self._config, text)
        # If this is cancelled, what xvp serves is unknown.
        self._text, self._ports = "", self.ports | wanted
        log_length = await asyncio.to_thread(log.size, self.log)
        self._sessions.suspend()
        if not (await self._reload(wanted) or await self._start(wanted)):
            await self._terminate()
            self.refused_line = await asyncio.to_thread(
                log.find_refused_line, self.log, log_length
            )
            return False
        self._text, self._ports = text, wanted
        await self._sessions.change(text)
        return True

    async def settle(self) -> None:
        """Wait until no process has ports open that xvp has closed.

        Until then, they look like those of another program.
        """
        if self.is_running:
            await self._wait_for_forks()
        else:
            await self._terminate()

    async def stop(self) -> None:
        """Stop xvp with all its sessions, and delete its passwords."""
        await self._terminate()
        self._config.unlink(missing_ok=True)

    async def adopt(self) -> None:
        """Take over the xvp that another agent has left, or end it.

        What it serves is unknown until the next ``serve``.  Its sessions
        continue.
        """
        try:
            pid = await asyncio.to_thread(self._processes.find_master)
            if pid is not None:
                self._ports = await asyncio.to_thread(ports.of_process, pid)
                self._sessions.suspend(
                    await asyncio.to_thread(
                        self._config.read_text, "ascii", "replace"
                    )
                )
                self._supervise(AdoptedProcess(pid))
                LOG.info("Took over xvp, process %d.", pid)
                return
        except OSError:
            # It has exited.
            pass
        count = await self._processes.terminate(self._timeout)
        if count:
            LOG.warning("Terminated %d orphaned xvp processes.", count)

    def detach(self) -> None:
        """Leave xvp running, for another agent to take over."""
        self._sessions.suspend()
        if self._watcher is not None:
            self._watcher.cancel()
        self._watcher = self._process = None

    async def _reload(self, wanted: frozenset[int]) -> bool:
        if self._process is None or not self.is_running:
            return False
        limits.set_limit(self._process.pid, len(wanted))
        await self._wait_for_forks()
        # A reload closes and opens all ports: when the sockets are others
        # than before, it has taken place.
        before = await asyncio.to_thread(ports.listeners, wanted)
        self._signal(signal.SIGUSR1)
        if await self._has_opened(wanted, before):
            return True
        LOG.warning("xvp exited during a reload. Restarting it.")
        return False

    async def _start(self, wanted: frozenset[int]) -> bool:
        await self._terminate()
        try:
            with self.log.open("ab") as output:
                process = await asyncio.create_subprocess_exec(
                    *limits.limited_command(len(wanted)),
                    self._binary,
                    *self._arguments,
                    stdin=DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
        except OSError as error:
            LOG.error("Cannot start xvp: %s", error)  # noqa: TRY400
            return False
        self._supervise(process)
        return await self._has_opened(wanted, {})

    def _supervise(self, process: ChildProcess | AdoptedProcess) -> None:
        self._process = process
        self._watcher = asyncio.create_task(self._watch(process))

    async def _wait_for_forks(self) -> None:
        """Wait until no process but the master has the ports open."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _FORK_TIMEOUT
        while self._process is not None and loop.time() < deadline:
            if not await asyncio.to_thread(
                self._processes.share_ports, self._process.pid
            ):
                return
            if await self._wait(_MIN_INTERVAL):
                return

    async def _has_opened(
        self,
        wanted: frozenset[int],
        before: Mapping[int, frozenset[str]],
    ) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        interval = _MIN_INTERVAL
        nothing: frozenset[str] = frozenset()
        while self.is_running and loop.time() < deadline:
            now = await asyncio.to_thread(ports.listeners, wanted)
            if all(
                now.get(port, nothing) - before.get(port, nothing)
                for port in wanted
            ):
                return self.is_running
            await self._wait(interval)
            interval = min(2 * interval, _MAX_INTERVAL)
        return False

    async def _terminate(self) -> None:
        if self._watcher is None:
            return
        self._signal(signal.SIGTERM)
        if not await self._wait(self._timeout):
            self._signal(signal.SIGKILL)
        # Waited for, not awaited: that would cancel it together with us.
        await asyncio.wait([self._watcher])
        self._watcher = self._process = None

    async def _wait(self, timeout: float) -> bool:  # noqa: ASYNC109
        """Wait for the process, and return whether it has exited."""
        if self._watcher is None:
            return True
        return await _is_done(self._watcher, timeout)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.is_running:
            # Not Process.send_signal: asyncio polls the process there, which
            # takes the exit status from the watcher.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    async def _watch(self, process: ChildProcess | AdoptedProcess) -> None:
        """Wait for the process, then remove its sessions and files."""
        waiting = asyncio.create_task(process.wait())
        try:
            while not await _is_done(waiting, _CHECK_INTERVAL):
                await self._check()
        finally:
            waiting.cancel()
        status = waiting.result()
        LOG.info("xvp exited with status %s. See %s", status, self.log)
        try:
            # Sessions that are still there may have its ports open.
            await self._processes.terminate(0)
        except OSError:
            LOG.exception("Cannot terminate orphaned xvp processes.")
        finally:
            with contextlib.suppress(OSError):
                self._pid_file.unlink()
            self._on_exit()

    async def _check(self) -> None:
        """Rotate a large log, and end sessions without a console."""
        if not self._text:
            # It is just being started or reloaded.
            return
        try:
            if await asyncio.to_thread(log.rotate, self.log):
                self._signal(signal.SIGHUP)
            await self._sessions.clean()
        except OSError as error:
            LOG.warning(
                "Cannot rotate the log of xvp or end its sessions: %s", error
            )


async def _is_done(task: asyncio.Future[Any], timeout: float) -> bool:  # noqa: ASYNC109
    done, _ = await asyncio.wait([task], timeout=timeout)
    return bool(done)
