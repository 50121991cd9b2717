# SPDX-License-Identifier: Apache-2.0
"""Several workers that share a port."""

import asyncio
import contextlib
import logging
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence

from console_api import errors

LOG = logging.getLogger(__name__)

# What a worker sends when it accepts connections.
READY = b"R"

# Seconds until a worker that failed is started again: the delay doubles with
# each failure within a minute, up to the maximum.
_FIRST_DELAY = 1.0
_MAX_DELAY = 30.0
_STABLE_AFTER = 60.0


class Master:
    """Keeps workers running.

    Each worker has one end of a socket pair.  When the master has gone, the
    worker reads the end of the stream, and stops.
    """

    def __init__(
        self, count: int, command: Callable[[int, int], Sequence[str]]
    ) -> None:
        """Prepare.

        :param command: returns the command of a worker, from its number and
            the descriptor that it inherits
        """
        self._command = command
        self._count = count
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._ready: set[int] = set()
        self._stopping = asyncio.Event()
        self._has_failed = False

    async def run(self, notify_ready: Callable[[], None]) -> None:
        """Run the workers until ``stop`` is called and all have exited.

        :param notify_ready: called when all accept connections
        :raises ConfigurationError: a worker has never been ready
        """
        workers = [
            asyncio.create_task(self._keep(number, notify_ready))
            for number in range(self._count)
        ]
        await asyncio.gather(*workers)
        if self._has_failed:
            raise errors.ConfigurationError(
                "A worker did not start; its log has the reason."
            )

    def stop(self) -> None:
        """Stop all workers, which drain."""
        self._stopping.set()
        self.forward(signal.SIGTERM)

    def forward(self, number: signal.Signals) -> None:
        """Send a signal to all workers."""
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)

    async def _keep(
        self, number: int, notify_ready: Callable[[], None]
    ) -> None:
        delay = _FIRST_DELAY
        while not self._stopping.is_set():
            started_at = time.monotonic()
            status = await self._run_once(number, notify_ready)
            if self._stopping.is_set():
                return
            if number not in self._ready:
                self._has_failed = True
                self.stop()
                return
            if time.monotonic() - started_at > _STABLE_AFTER:
                delay = _FIRST_DELAY
            LOG.error(
                "Worker %d exited with status %d. Restarting it in %d s.",
                number,
                status,
                delay,
            )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._stopping.wait()
            delay = min(2 * delay, _MAX_DELAY)

    async def _run_once(
        self, number: int, notify_ready: Callable[[], None]
    ) -> int:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *self._command(number, theirs.fileno()),
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                )
            self._processes[number] = process
            if self._stopping.is_set():
                self.forward(signal.SIGTERM)
            ours.setblocking(False)
            loop = asyncio.get_running_loop()
            if await loop.sock_recv(ours, 1) == READY:
                self._ready.add(number)
                if len(self._ready) == self._count:
                    notify_ready()
            try:
                return await process.wait()
            finally:
                del self._processes[number]
