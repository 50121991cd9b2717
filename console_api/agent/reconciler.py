# SPDX-License-Identifier: Apache-2.0
"""Reconciliation of the served consoles with the database."""

import asyncio
import contextlib
import importlib.metadata
import logging
import os
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from oslo_config import cfg

from console_api import errors
from console_api.agent.clock import ClockComparison
from console_api.agent.console_log import log_changes
from console_api.agent.drivers.base import Driver
from console_api.agent.feed import ConsoleFeed
from console_api.agent.handover import Predecessor, Successor
from console_api.agent.steps import Steps
from console_api.agent.timer import Timer
from console_api.db.heartbeats import AgentReport
from console_api.net import notify

LOG = logging.getLogger(__name__)

_DRIVER_FAILED = (
    "The driver failed: consoles may be out of date. See the agent's log."
)

# Seconds that a successor has for opening the ports, during which viewers
# wait.
_SERVE_TIMEOUT = 60.0

# Seconds between notifications of systemd's watchdog.
_WATCHDOG_INTERVAL = 1.0


class Reconciler:
    """Follows the feed and has the driver serve its consoles.

    While the database is unavailable, consoles stay as they are.

    With a predecessor, it takes the consoles over once it has read them.
    After it has handed them over to a successor, it continues to follow the
    feed, so that sessions of deleted consoles end, but reports nothing.
    """

    def __init__(
        self,
        feed: ConsoleFeed,
        driver: Driver,
        conf: cfg.ConfigOpts,
        clock: Callable[[], float] = time.monotonic,
        *,
        predecessor: Predecessor | None = None,
        duties: Sequence[Callable[[], Coroutine[None, None, None]]] = (),
    ) -> None:
        """Prepare; ``run`` reconciles.

        :param clock: returns seconds
        :param predecessor: the process that still serves the consoles
        :param duties: what else runs while this process serves the consoles
        """
        self._feed = feed
        self._clocks = ClockComparison(feed.read_clock)
        self._driver = driver
        # Held while consoles are applied or handed over.
        self._driver_lock = asyncio.Lock()
        self._predecessor = predecessor
        self._duties = [self._report, self._feed_watchdog, *duties]
        # Those of them that run: while this process is in charge.
        self._running_duties: list[asyncio.Task[None]] = []
        self._is_started = False
        self._is_released = False
        self._stopping = asyncio.Event()
        # A thread of its own: look-ups of sessions that hang must not delay
        # reconciliation, nor the other way round.
        self._thread = ThreadPoolExecutor(1, "reconciler")
        self._poll_interval = conf.agent.poll_interval
        self._drain_timeout = conf.agent.drain_timeout
        self._report_interval = conf.agent.report_interval
        self._read_all = Timer(conf.agent.full_interval, clock)
        self._retry = Timer(conf.agent.retry_interval, clock)
        self._steps = Steps()
        self._is_ready = False
        # Until the feed has been read, nothing is applied: what a previous
        # agent has left behind stays.
        self._applied = feed.consoles
        # Whether the driver has not failed since.
        self._is_applied = True
        self._failed: Mapping[int, str] = {}
        self._reported_problems: Mapping[int, str] = {}
        # What the agent found, and what of it the database has.
        self._found = self._reported = AgentReport(
            importlib.metadata.version("console-api"), conf.agent.driver
        )

    def stop(self) -> None:
        """Make ``run`` return."""
        self._stopping.set()

    async def run(self) -> None:
        """Reconcile until stopped, then close the driver.

        :raises ConfigurationError: the console host cannot be registered, or
            the driver cannot serve
        :raises HandoverError: the predecessor has exited
        """
        tasks = [
            asyncio.create_task(coroutine)
            for coroutine in (self._reconcile(), self._stopping.wait())
        ]
        try:
            done, _ = await asyncio.wait(
                tasks, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            if self._running_duties:
                notify.send("STOPPING=1")
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._end_duties()
            await self._driver.close()
            self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def can_hand_over(self) -> bool:
        """Whether a successor could take the consoles over now."""
        return self._is_ready and self._driver.can_hand_over

    async def hand_over(self, successor: Successor) -> None:
        """Let a successor serve the consoles, and keep the sessions.

        If it fails, it is ended, and consoles are served as before.

        :raises HandoverError: the successor has failed
        :raises TimeoutError: it does not serve the consoles in time
        """
        async with self._driver_lock:
            try:
                async with asyncio.timeout(_SERVE_TIMEOUT):
                    await successor.serve(await self._driver.pause())
            except BaseException:
                await successor.end()
                await self._driver.resume()
                raise
            self._is_released = True
            await self._driver.release()
        await self._end_duties()

    async def drain(self) -> None:
        """Stop when the last session has ended, or after a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._drain_timeout):
                # Drivers need not announce the end of their sessions.
                while self._driver.session_count:  # noqa: ASYNC110
                    await asyncio.sleep(self._poll_interval)
        LOG.info(
            "Stopped draining: %d sessions are left, and end now.",
            self._driver.session_count,
        )
        self.stop()

    def _begin_duties(self) -> None:
        self._running_duties = [
            asyncio.create_task(duty()) for duty in self._duties
        ]

    async def _end_duties(self) -> None:
        duties, self._running_duties = self._running_duties, []
        for task in duties:
            task.cancel()
        await asyncio.gather(*duties, return_exceptions=True)

    async def _feed_watchdog(self) -> None:
        """Notify systemd's watchdog, even if the database or driver hangs."""
        while True:
            notify.send("WATCHDOG=1")
            await asyncio.sleep(_WATCHDOG_INTERVAL)

    async def _report(self) -> None:
        """Record heartbeats in the database, even if the driver hangs."""
        while True:
            await asyncio.sleep(self._report_interval)
            await self._steps.run(self._record_heartbeat)

    async def _reconcile(self) -> None:
        if self._predecessor is None:
            await self._driver.start()
            self._is_started = True
            self._begin_duties()
        while True:
            await self._run_with_database(self._follow)
            self._feed.drop_expired()
            if self._predecessor is not None and not self._is_started:
                await self._take_over(self._predecessor)
            if self._is_started:
                # Failed consoles are retried without the database, too.
                async with self._driver_lock:
                    await self._steps.run(self._apply)
                await self._become_ready()
            if self._running_duties:
                await self._run_with_database(self._report_applied)
            await asyncio.sleep(self._poll_interval)

    async def _run_with_database(
        self, step: Callable[[], Coroutine[None, None, None]]
    ) -> None:
        """Run a step; consoles expire while the database hangs."""
        await self._steps.run_while(
            step, self._poll_interval, self._end_expired
        )

    async def _end_expired(self) -> None:
        consoles = self._feed.unexpired()
        if self._is_started and len(consoles) < len(self._feed.consoles):
            async with self._driver_lock:
                await self._driver.apply(consoles)

    async def _take_over(self, predecessor: Predecessor) -> None:
        """Start the driver with the sockets of the predecessor."""
        if self._feed.revision is None:
            return
        await self._driver.start(await predecessor.take())
        self._is_started = True
        # The predecessor may have applied more changes until it stopped.
        await self._steps.run(self._follow)

    async def _become_ready(self) -> None:
        """Announce that consoles are served, once.

        :raises ConfigurationError: the predecessor can serve consoles, and
            this process none
        """
        found = self._found
        if self._is_ready or found.served_revision is None:
            return
        self._is_ready = True
        if self._predecessor is None:
            notify.send("READY=1")
        elif found.failed_count and not found.served_count:
            raise errors.ConfigurationError(
                "With the new configuration, no console can be served."
            )
        else:
            await self._predecessor.confirm()
            self._begin_duties()
            notify.send(f"MAINPID={os.getpid()}\nREADY=1")
        LOG.info(
            "Ready: serving %d of %d consoles.",
            found.served_count,
            found.served_count + found.failed_count,
        )

    async def _follow(self) -> None:
        if not (self._feed.is_registered or self._is_released):
            await self._record_heartbeat()
        if self._read_all.is_due():
            await self._run_in_thread(self._feed.read_all)
            self._read_all.restart()
        else:
            await self._run_in_thread(self._feed.read_changes)

    async def _record_heartbeat(self) -> None:
        await self._run_in_thread(self._feed.report, self._reported)
        await self._run_in_thread(self._clocks.run)

    async def _report_applied(self) -> None:
        """Report at once what has changed, not with the next heartbeat.

        Problems come before the revision that they belong to: a console that
        fails is never shown as served.
        """
        found, problems = self._found, self._failed
        if (found, problems) == (self._reported, self._reported_problems):
            return
        await self._run_in_thread(self._feed.report_problems, problems)
        await self._run_in_thread(self._feed.report, found)
        self._reported, self._reported_problems = found, problems

    async def _run_in_thread(
        self, function: Callable[..., None], *args: object
    ) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, function, *args)

    async def _apply(self) -> None:
        """Apply changed consoles, and retry failed ones when due."""
        consoles, revision = self._feed.consoles, self._feed.revision
        if self._is_applied and consoles is self._applied:
            trouble = self._driver.trouble
            self._found = replace(self._found, trouble=trouble)
            if not (self._failed and self._retry.is_due()):
                return
        self._retry.restart()
        self._is_applied = False
        try:
            applied = await self._driver.apply(consoles)
        except Exception:
            self._found = replace(self._found, trouble=_DRIVER_FAILED)
            raise
        failed = {**applied, **self._feed.unreadable}
        log_changes(self._applied, self._failed, consoles, failed)
        self._applied, self._failed = consoles, failed
        self._is_applied = True
        self._found = replace(
            self._found,
            trouble=self._driver.trouble,
            served_revision=revision,
            served_count=len(consoles.keys() - failed.keys()),
            failed_count=len(failed),
        )
