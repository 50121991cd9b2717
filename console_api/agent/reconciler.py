# SPDX-License-Identifier: Apache-2.0
"""Makes what is there what the database says, again and again."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from oslo_config import cfg

from console_api import errors
from console_api.agent import notify
from console_api.agent.drivers.base import Console, Driver
from console_api.agent.feed import ConsoleFeed

LOG = logging.getLogger(__name__)

# Seconds between two signs of life while the database does not answer.
_BEAT = 1.0


class _Stopped(BaseException):
    """The agent is to end while the database has not answered yet.

    No error, as CancelledError is none.
    """


class _Timer:
    """Tells when something that is done from time to time is due."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._next = 0.0

    def is_due(self) -> bool:
        return time.monotonic() >= self._next

    def restart(self) -> None:
        self._next = time.monotonic() + self._interval


class Reconciler:
    """Follows the feed and has the driver make what it says.

    While the database is away, what is there stays there.
    """

    def __init__(
        self, feed: ConsoleFeed, driver: Driver, conf: cfg.ConfigOpts
    ) -> None:
        """Prepare; ``run`` does the work."""
        self._feed = feed
        self._driver = driver
        self._stopping = asyncio.Event()
        # A thread of its own: the viewers of a database that hangs must not
        # keep it from seeing the end of that, nor it them.
        self._thread = ThreadPoolExecutor(1, "reconciler")
        self._poll_interval = conf.agent.poll_interval
        self._report = _Timer(conf.agent.report_interval)
        self._read_all = _Timer(conf.agent.full_interval)
        self._retry = _Timer(conf.agent.retry_interval)
        self._troubled = False
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
        try:
            while not self._stopping.is_set():
                await self._step()
                notify.send("WATCHDOG=1")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(
                        self._stopping.wait(), self._poll_interval
                    )
        except _Stopped:
            return
        finally:
            notify.send("STOPPING=1")
            await self._driver.close()
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _step(self) -> None:
        """Reconcile once; what fails is said once and tried again."""
        try:
            await self._follow()
            await self._apply()
        except errors.DatabaseUnavailable as error:
            if not self._troubled:
                LOG.warning(
                    "%s Consoles stay as they are until it does. It said: %s",
                    error,
                    error.__cause__,
                )
            self._troubled = True
        except errors.Conflict as error:
            raise errors.ConfigurationError(f"[agent] {error}") from error
        except Exception:
            # Nobody's session ends for what nobody has thought of.
            if not self._troubled:
                LOG.exception("Unexpected error. It is tried again.")
            self._troubled = True
        else:
            if self._troubled:
                LOG.warning("All is well again.")
            self._troubled = False

    async def _follow(self) -> None:
        if self._report.is_due() or not self._feed.is_registered:
            await self._ask(lambda: self._feed.report(int(time.time())))
            self._report.restart()
        if self._read_all.is_due():
            await self._ask(self._feed.read_all)
            self._read_all.restart()
        else:
            await self._ask(self._feed.read_changes)

    async def _ask(self, question: Callable[[], None]) -> None:
        """Ask the database, which may hang for any time.

        The agent lives meanwhile, and ends if it is to.
        """
        loop = asyncio.get_running_loop()
        answer = loop.run_in_executor(self._thread, question)
        stopped = loop.create_task(self._stopping.wait())
        while not await _one_of(answer, stopped):
            notify.send("WATCHDOG=1")
        stopped.cancel()
        if not answer.done():
            raise _Stopped
        await answer

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
                    console.server_uuid,
                    "" if console.port is None else f" on port {console.port}",
                )


async def _one_of(*awaited: asyncio.Future[Any]) -> bool:
    """Wait for one of some futures for a while; tells whether it is done."""
    done, _ = await asyncio.wait(
        awaited, timeout=_BEAT, return_when=asyncio.FIRST_COMPLETED
    )
    return bool(done)
