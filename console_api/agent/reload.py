# SPDX-License-Identifier: Apache-2.0
"""Replacement of the running agent by a new process, on SIGHUP."""

import asyncio
import logging
import signal
import time

from console_api import errors
from console_api.agent import handover
from console_api.agent.handover import Predecessor, Successor
from console_api.agent.reconciler import Reconciler
from console_api.net import notify

LOG = logging.getLogger(__name__)

# Seconds that a successor has for its checks and the database.
_CHECK_TIMEOUT = 120.0


class Reload:
    """Starts a successor, and drains this process once that serves.

    Under systemd, each process stands for itself.  Elsewhere, the first one
    stands for the agent: it exits last, and forwards signals.
    """

    def __init__(self, reconciler: Reconciler) -> None:
        """Prepare; ``request`` reloads."""
        self._reconciler = reconciler
        self._task: asyncio.Task[None] | None = None
        self._successor: Successor | None = None
        self._followers: list[asyncio.Task[None]] = []
        self._predecessor_watch: asyncio.Task[None] | None = None
        self._exit_status = 0

    def watch_predecessor(self, predecessor: Predecessor) -> None:
        """Stop when the predecessor crashes, outside systemd.

        What started the agent starts it again, and the ports have to be free.
        """
        if not notify.is_enabled():
            self._predecessor_watch = asyncio.create_task(
                self._stop_with(predecessor)
            )

    def request(self) -> None:
        """Reload, unless this process cannot; called on SIGHUP."""
        if self._successor is not None and not notify.is_enabled():
            self._successor.send_signal(signal.SIGHUP)
        elif self._successor is not None:
            LOG.warning(
                "Ignoring SIGHUP: process %d serves the consoles.",
                self._successor.pid,
            )
        elif self._task is not None:
            LOG.warning("Ignoring SIGHUP: the agent is already reloading.")
        elif not self._reconciler.can_hand_over:
            LOG.error(
                "Ignoring SIGHUP: the driver cannot hand its consoles over, "
                "or the agent is not ready. Restart it instead."
            )
        else:
            self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        """End the agent; called on SIGTERM and SIGINT."""
        if self._successor is not None and not notify.is_enabled():
            self._successor.send_signal(signal.SIGTERM)
        if self._task is None:
            self._reconciler.stop()
        else:
            self._task.add_done_callback(lambda _: self._reconciler.stop())
            self._task.cancel()

    async def finish(self) -> int:
        """Clean up after the reconciler has stopped.

        Outside systemd, wait for the successor, so that whatever started the
        agent keeps control of it.

        :returns: the exit status
        """
        if self._successor is not None and not notify.is_enabled():
            LOG.info(
                "Waiting for process %d, which serves the consoles.",
                self._successor.pid,
            )
            await asyncio.wait(self._followers)
        for task in self._followers:
            task.cancel()
        return self._exit_status

    async def _run(self) -> None:
        notify.send(
            f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}"
        )
        LOG.info("Reloading: starting a new process.")
        reason = None
        try:
            self._successor = await self._start_successor()
        except (errors.ConsoleAPIError, OSError) as error:
            reason = str(error) or "It did not answer in time."
        except Exception:
            LOG.exception("Unexpected error when reloading.")
            reason = "There was an unexpected error."
        finally:
            self._task = None
        if self._successor is None:
            LOG.error(
                "Cannot reload, serving as before. The log has the messages "
                "of the new process. %s",
                reason,
            )
            notify.send("READY=1")
            return
        LOG.info(
            "Reloaded: process %d serves the consoles now; this one serves "
            "its sessions to their end.",
            self._successor.pid,
        )
        self._followers = [
            asyncio.create_task(self._reconciler.drain()),
            asyncio.create_task(self._watch(self._successor)),
        ]

    async def _start_successor(self) -> Successor:
        """Return a successor that serves the consoles."""
        successor = await Successor.start(handover.command())
        try:
            async with asyncio.timeout(_CHECK_TIMEOUT):
                await successor.wait_until_checked()
            await self._reconciler.hand_over(successor)
        except BaseException:
            await successor.end()
            raise
        return successor

    async def _watch(self, successor: Successor) -> None:
        """Stop with a successor that crashes, so that both are restarted."""
        if not await successor.wait():
            LOG.error(
                "Process %d, which served the consoles, has crashed.",
                successor.pid,
            )
            self._exit_status = 1
            self._reconciler.stop()

    async def _stop_with(self, predecessor: Predecessor) -> None:
        await predecessor.wait()
        LOG.error("The process that has started this one has crashed.")
        self._exit_status = 1
        self.stop()
