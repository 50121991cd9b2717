# SPDX-License-Identifier: Apache-2.0
"""The xvp process: started, given a new file, found dead, ended.

It runs in the foreground as our child, so that its end is noticed at once,
and in a process group of its own, with which its sessions are ended too: xvp
has a process for each, and those might hold its ports after its death.
"""

import asyncio
import contextlib
import logging
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping
from pathlib import Path

from console_api.agent.drivers.xvp import leftovers, ports

LOG = logging.getLogger(__name__)

# Seconds between two looks at the ports: at first, and at most.
_FIRST_PAUSE = 0.005
_LAST_PAUSE = 0.1


class Daemon:
    """At most one xvp, in a folder of its own.

    Its methods are not to be called two at a time.
    """

    def __init__(
        self,
        binary: str,
        folder: Path,
        seconds: float,
        on_death: Callable[[], None],
    ) -> None:
        """Start nothing yet.

        :param binary: the program
        :param folder: where its files go; it is there
        :param seconds: how long it may take to open its ports, or to end
        :param on_death: called whenever a process has ended, for whatever
            reason
        """
        self._binary = binary
        self._config = folder / "xvp.conf"
        #: Where xvp writes what it does.
        self.log = folder / "xvp.log"
        self._pid_file = folder / "xvp.pid"
        self._arguments = [
            *("-n", "-c", str(self._config)),
            *("-l", str(self.log), "-p", str(self._pid_file)),
        ]
        self._seconds = seconds
        self._on_death = on_death
        self._process: Process | None = None
        self._attendant: asyncio.Task[None] | None = None
        self._text = ""
        self._ports: frozenset[int] = frozenset()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def text(self) -> str:
        """The file that it serves, empty when it does not run."""
        return self._text if self.alive else ""

    @property
    def ports(self) -> frozenset[int]:
        """The ports that it has open."""
        return self._ports if self.alive else frozenset()

    async def serve(self, text: str, wanted: frozenset[int]) -> bool:
        """Make it serve a file, whatever it does now.

        :param text: the file, which the grammar has seen; if it is empty,
            nothing runs
        :param wanted: the ports that the file opens
        :returns: whether it lives, and has all these ports open
        :raises OSError: the file cannot be written; nothing has changed
        """
        if not text:
            await self.stop()
            return True
        await asyncio.to_thread(self._write, text)
        # Should this be cancelled, what it serves is not known.
        self._text, self._ports = "", self.ports | wanted
        if not (await self._reload(wanted) or await self._start(wanted)):
            await self._end()
            return False
        self._text, self._ports = text, wanted
        return True

    async def settle(self) -> None:
        """If it has died, wait until what it leaves is cleared away.

        Before that, its sessions may have ports that seem another program's.
        """
        if not self.alive:
            await self._end()

    async def stop(self) -> None:
        """End it with all its sessions, and delete its passwords."""
        await self._end()
        self._config.unlink(missing_ok=True)

    async def end_leftovers(self) -> None:
        """End what an agent that was killed has left behind."""
        count = await leftovers.end(self._arguments, self._seconds)
        if count:
            LOG.warning("Processes of an xvp of before were ended: %s", count)

    def _write(self, text: str) -> None:
        # Beside it and renamed: xvp never reads half a file.
        draft = self._config.with_suffix(".new")
        draft.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(draft, flags, 0o600), "w") as file:
            file.write(text)
        draft.rename(self._config)

    async def _reload(self, wanted: frozenset[int]) -> bool:
        if not self.alive:
            return False
        # A reload opens all ports anew: other sockets than before tell that
        # it has taken place.
        before = await asyncio.to_thread(ports.listeners, wanted)
        self._signal(signal.SIGUSR1)
        if await self._has_opened(wanted, before):
            return True
        LOG.warning("xvp did not outlive a change. It is started again.")
        return False

    async def _start(self, wanted: frozenset[int]) -> bool:
        await self._end()
        try:
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    self._binary,
                    *self._arguments,
                    stdin=DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            LOG.error("xvp cannot be started: %s", error)  # noqa: TRY400
            return False
        self._attendant = asyncio.create_task(self._attend(self._process))
        return await self._has_opened(wanted, {})

    async def _has_opened(
        self,
        wanted: frozenset[int],
        before: Mapping[int, frozenset[str]],
    ) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._seconds
        pause = _FIRST_PAUSE
        nothing: frozenset[str] = frozenset()
        while self.alive and loop.time() < deadline:
            now = await asyncio.to_thread(ports.listeners, wanted)
            if all(
                now.get(port, nothing) - before.get(port, nothing)
                for port in wanted
            ):
                return self.alive
            await self._wait(pause)
            pause = min(2 * pause, _LAST_PAUSE)
        return False

    async def _end(self) -> None:
        if self._attendant is None:
            return
        self._signal(signal.SIGTERM)
        if not await self._wait(self._seconds):
            self._signal(signal.SIGKILL)
        # Not awaited itself: that would cancel it with us.
        await asyncio.wait([self._attendant])
        self._attendant = self._process = None

    async def _wait(self, seconds: float) -> bool:
        """Wait for its end, and return whether that has come."""
        if self._attendant is None:
            return True
        done, _ = await asyncio.wait([self._attendant], timeout=seconds)
        return bool(done)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.alive:
            # asyncio would look whether it lives still, and so take its exit
            # status away from whoever waits for that.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    async def _attend(self, process: Process) -> None:
        """Wait for the end of a process, and clear away what it leaves."""
        status = await process.wait()
        LOG.info("xvp has ended with status %s. See %s", status, self.log)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        try:
            # Until its sessions have ended too, its ports may be in use.
            await leftovers.end(self._arguments, 0)
        except OSError:
            LOG.exception("What xvp has left could not be cleared away.")
        finally:
            with contextlib.suppress(OSError):
                self._pid_file.unlink()
            self._on_death()
