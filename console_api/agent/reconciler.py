# SPDX-License-Identifier: Apache-2.0
"""Reconciliation of the served consoles with the database."""

import asyncio
import importlib.metadata
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from oslo_config import cfg

from console_api import errors
from console_api.agent import notify
from console_api.agent.clock import ClockComparison
from console_api.agent.drivers.base import Console, Driver
from console_api.agent.feed import ConsoleFeed
from console_api.db.heartbeats import AgentReport

LOG = logging.getLogger(__name__)

# What a step without the database means, by its name.
_UNAVAILABLE = {
    "_follow": "Cannot read the consoles of this console host; they stay as "
    "they are. Cause: %s",
    "_record_heartbeat": "Cannot record the heartbeat of this console host: "
    "after [consoles] host_down_time, the API counts it as down and places no "
    "more consoles on it. Check that [database] connection leads to a server "
    "that accepts writes. Cause: %s",
    "_report_applied": "Cannot record which consoles are served; the API "
    "shows what was recorded last. Cause: %s",
}

_RECOVERED = {
    "_follow": "Reading consoles from the database again.",
    "_apply": "Reconciliation recovered.",
    "_record_heartbeat": "Recording heartbeats again.",
    "_report_applied": "Recording which consoles are served again.",
}

_DRIVER_FAILED = (
    "The driver failed: consoles may be out of date. See the agent's log."
)

# Seconds between notifications of systemd's watchdog.
_WATCHDOG_INTERVAL = 1.0


class _Timer:
    """Returns when a periodic task is due; the first time at once."""

    def __init__(self, interval: float, clock: Callable[[], float]) -> None:
        self._interval = interval
        self._clock = clock
        self._due_at = 0.0

    def is_due(self) -> bool:
        return self._clock() >= self._due_at

    def restart(self) -> None:
        self._due_at = self._clock() + self._interval


class Reconciler:
    """Follows the feed and has the driver serve its consoles.

    While the database is unavailable, consoles stay as they are.
    """

    def __init__(
        self,
        feed: ConsoleFeed,
        driver: Driver,
        conf: cfg.ConfigOpts,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; ``run`` reconciles.

        :param clock: returns seconds
        """
        self._feed = feed
        self._clocks = ClockComparison(feed.read_clock)
        self._driver = driver
        self._stopping = asyncio.Event()
        # A thread of its own: look-ups of sessions that hang must not delay
        # reconciliation, nor the other way round.
        self._thread = ThreadPoolExecutor(1, "reconciler")
        self._poll_interval = conf.agent.poll_interval
        self._report_interval = conf.agent.report_interval
        self._read_all = _Timer(conf.agent.full_interval, clock)
        self._retry = _Timer(conf.agent.retry_interval, clock)
        # The names of the steps that failed the last time.
        self._failing_steps: set[str] = set()
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

        :raises ConfigurationError: the console host cannot be registered
        """
        tasks = [
            asyncio.create_task(coroutine)
            for coroutine in (
                self._reconcile(),
                self._report(),
                self._feed_watchdog(),
                self._stopping.wait(),
            )
        ]
        try:
            done, _ = await asyncio.wait(
                tasks, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            notify.send("STOPPING=1")
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._driver.close()
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _feed_watchdog(self) -> None:
        """Notify systemd's watchdog, even if the database or driver hangs."""
        while True:
            notify.send("WATCHDOG=1")
            await asyncio.sleep(_WATCHDOG_INTERVAL)

    async def _report(self) -> None:
        """Record heartbeats in the database, even if the driver hangs."""
        while True:
            await asyncio.sleep(self._report_interval)
            await self._try(self._record_heartbeat)

    async def _reconcile(self) -> None:
        while True:
            await self._try(self._follow)
            self._feed.drop_expired()
            # Failed consoles are retried without the database, too.
            await self._try(self._apply)
            await self._try(self._report_applied)
            await asyncio.sleep(self._poll_interval)

    async def _try(self, step: Callable[[], Awaitable[None]]) -> None:
        """Run a step; log its first failure in a row, and its recovery."""
        name = step.__name__
        try:
            await step()
        except errors.DatabaseUnavailable as error:
            if name not in self._failing_steps:
                LOG.warning(_UNAVAILABLE[name], error.reason)
            self._failing_steps.add(name)
        except errors.Conflict as error:
            raise errors.ConfigurationError(f"[agent] {error}") from error
        except Exception:
            # A bug must not end sessions.
            if name not in self._failing_steps:
                LOG.exception("Unexpected error in reconciliation; retrying.")
            self._failing_steps.add(name)
        else:
            if name in self._failing_steps:
                LOG.warning(_RECOVERED[name])
            self._failing_steps.discard(name)

    async def _follow(self) -> None:
        if not self._feed.is_registered:
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
        self._log_changes(consoles, failed)
        self._applied, self._failed = consoles, failed
        self._is_applied = True
        self._found = replace(
            self._found,
            trouble=self._driver.trouble,
            served_revision=revision,
            served_count=len(consoles.keys() - failed.keys()),
            failed_count=len(failed),
        )
        if not self._is_ready:
            LOG.info(
                "Ready: serving %d of %d consoles.",
                self._found.served_count,
                len(consoles),
            )
            notify.send("READY=1")
        self._is_ready = True

    def _log_changes(
        self, consoles: Mapping[int, Console], failed: Mapping[int, str]
    ) -> None:
        """Log each console that has changed, once."""
        before = self._applied
        for console_id in before.keys() - consoles.keys():
            LOG.info("Console %d is no longer served.", console_id)
        for console_id, reason in failed.items():
            if self._failed.get(console_id) != reason:
                LOG.error(
                    "Console %d cannot be served: %s", console_id, reason
                )
        for console_id, console in consoles.items():
            if console_id in failed:
                continue
            if before.get(console_id) != console or console_id in self._failed:
                LOG.info(
                    "Console %d of server %s is served%s.",
                    console_id,
                    console.server_id,
                    "" if console.port is None else f" on port {console.port}",
                )
