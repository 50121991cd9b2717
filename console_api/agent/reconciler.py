# SPDX-License-Identifier: Apache-2.0
"""Makes what is there what the database says, again and again."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from oslo_config import cfg

from console_api import errors
from console_api.agent import notify
from console_api.agent.drivers.base import Console, Driver
from console_api.agent.feed import ConsoleFeed

LOG = logging.getLogger(__name__)

# Seconds between two signs of life.
_BEAT = 1.0


class _Timer:
    """Tells when something that is done from time to time is due."""

    def __init__(self, interval: float, clock: Callable[[], float]) -> None:
        self._interval = interval
        self._clock = clock
        self._next = 0.0

    def is_due(self) -> bool:
        return self._clock() >= self._next

    def restart(self) -> None:
        self._next = self._clock() + self._interval


class Reconciler:
    """Follows the feed and has the driver make what it says.

    While the database is away, what is there stays there.
    """

    def __init__(
        self,
        feed: ConsoleFeed,
        driver: Driver,
        conf: cfg.ConfigOpts,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; ``run`` does the work."""
        self._feed = feed
        self._driver = driver
        self._stopping = asyncio.Event()
        # A thread of its own: the viewers of a database that hangs must not
        # keep it from seeing the end of that, nor it them.
        self._thread = ThreadPoolExecutor(1, "reconciler")
        self._poll_interval = conf.agent.poll_interval
        self._report_interval = conf.agent.report_interval
        self._read_all = _Timer(conf.agent.full_interval, clock)
        self._retry = _Timer(conf.agent.retry_interval, clock)
        # What did not work the last time.
        self._troubled: set[str] = set()
        self._ready = False
        # Nothing has been read yet: what an agent before this one has left
        # behind stays until then.
        self._applied = feed.consoles
        self._failed: Mapping[int, str] = {}

    def stop(self) -> None:
        """Let ``run`` end."""
        self._stopping.set()

    async def run(self) -> None:
        """Reconcile until stopped, then stop serving.

        :raises ConfigurationError: this host cannot be registered as it is
        """
        tasks = [
            asyncio.create_task(one)
            for one in (
                self._reconcile(),
                self._report(),
                self._live(),
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

    async def _live(self) -> None:
        """Say that the agent lives, whatever database and driver do."""
        while True:
            notify.send("WATCHDOG=1")
            await asyncio.sleep(_BEAT)

    async def _report(self) -> None:
        """Tell the database that the agent lives, whatever the driver does."""
        while True:
            await asyncio.sleep(self._report_interval)
            # What goes wrong here meets `_follow` as well, which says so.
            with contextlib.suppress(errors.ConsoleAPIError):
                await self._ask(self._report_now)

    async def _reconcile(self) -> None:
        while True:
            await self._try(self._follow)
            # What could not be made is tried again without a database too.
            await self._try(self._apply)
            await asyncio.sleep(self._poll_interval)

    async def _try(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do one half of it; what fails is said once and tried again."""
        name = step.__name__
        try:
            await step()
        except errors.DatabaseUnavailable as error:
            if name not in self._troubled:
                LOG.warning(
                    "%s Consoles stay as they are until it does. It said: %s",
                    error,
                    error.__cause__,
                )
            self._troubled.add(name)
        except errors.Conflict as error:
            raise errors.ConfigurationError(f"[agent] {error}") from error
        except Exception:
            # Nobody's session ends for what nobody has thought of.
            if name not in self._troubled:
                LOG.exception("Unexpected error. It is tried again.")
            self._troubled.add(name)
        else:
            if name in self._troubled:
                LOG.warning("All is well again.")
            self._troubled.discard(name)

    async def _follow(self) -> None:
        if not self._feed.is_registered:
            await self._ask(self._report_now)
        if self._read_all.is_due():
            await self._ask(self._feed.read_all)
            self._read_all.restart()
        else:
            await self._ask(self._feed.read_changes)

    def _report_now(self) -> None:
        self._feed.report(int(time.time()))

    async def _ask(self, question: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, question)

    async def _apply(self) -> None:
        """Have the driver make what has changed, or what failed before."""
        consoles = self._feed.consoles
        if consoles is self._applied and not (
            self._failed and self._retry.is_due()
        ):
            return
        self._retry.restart()
        failed = {
            **await self._driver.apply(consoles),
            **self._feed.unreadable,
        }
        self._log(consoles, failed)
        self._applied, self._failed = consoles, failed
        if not self._ready:
            LOG.info("Ready: %d consoles.", len(consoles))
            notify.send("READY=1")
        self._ready = True

    def _log(
        self, consoles: Mapping[int, Console], failed: Mapping[int, str]
    ) -> None:
        """Log each console that has changed, once."""
        before = self._applied
        for number in before.keys() - consoles.keys():
            LOG.info("Console %d is gone.", number)
        for number, reason in failed.items():
            if self._failed.get(number) != reason:
                LOG.error("Console %d cannot be made: %s", number, reason)
        for number, console in consoles.items():
            if number in failed:
                continue
            if before.get(number) != console or number in self._failed:
                LOG.info(
                    "Console %d of server %s is served%s.",
                    number,
                    console.server_id,
                    "" if console.port is None else f" on port {console.port}",
                )
