# SPDX-License-Identifier: Apache-2.0
"""Heartbeats of a gateway to the API, and reports of ended sessions."""

import asyncio
import contextlib
import logging
from typing import Any, NamedTuple

from console_api.gateway.brokers import answers
from console_api.gateway.brokers.base import BrokerStatistics
from console_api.gateway.brokers.reports import (
    EndedSessions,
    Report,
    TrafficReports,
)
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.service_client import (
    RequestFailed,
    ServiceClient,
)

LOG = logging.getLogger(__name__)

# Seconds after which the API believes a complete report that a session has
# ended, with some to spare.
_ORPHAN_DELAY = 70

# Seconds before ended sessions are reported, so that a request has several.
_COLLECT_TIME = 0.1

# The first time limit of a heartbeat, in intervals.
_MIN_TIMEOUT_INTERVALS = 2.0

# Statuses of requests that are never accepted, however often they are sent.
_NEVER_ACCEPTED = frozenset({400, 413})


class Worker(NamedTuple):
    """A worker of a gateway, as the API knows it.

    ``interval`` is that of its heartbeats, in seconds.
    """

    id: str
    name: str
    interval: int


class Heartbeats:
    """Sends heartbeats, and cuts the sessions that the responses name.

    The API counts a gateway that misses two of them as dead, so each has a
    short time limit at first.
    """

    def __init__(
        self,
        client: ServiceClient,
        worker: Worker,
        traffic: TrafficReports,
        ended: EndedSessions,
        statistics: BrokerStatistics,
    ) -> None:
        """Prepare; ``run`` sends."""
        self._client = client
        self._path = f"/os-console-gateways/{worker.id}"
        self._worker = worker
        self._traffic = traffic
        self._ended = ended
        self._statistics = statistics
        self._min_timeout = self._timeout = min(
            _MIN_TIMEOUT_INTERVALS * worker.interval, client.timeout
        )
        self._failing_since: float | None = None
        # Of successful heartbeats.
        self._count = 0
        self._is_complete = True
        self._orphans_at: float | None = None
        self._hurry = asyncio.Event()
        self._has_ended = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._sending = asyncio.Lock()
        self._beating = asyncio.Lock()
        self.trouble: str | None = "The API has not answered yet."

    def hurry(self) -> None:
        """Send the next heartbeat at once."""
        self._hurry.set()

    def send_ended(self) -> None:
        """Report ended sessions without waiting for a heartbeat."""
        self._has_ended.set()

    def expect_orphans(self) -> None:
        """Let the API close sessions that do not exist here, later.

        A request for a session failed, but the API may have opened it.
        """
        self._orphans_at = asyncio.get_running_loop().time() + _ORPHAN_DELAY

    async def run(self) -> None:
        """Send heartbeats and ended sessions until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._tasks = [
                group.create_task(self._beat_regularly()),
                group.create_task(self._report_ended()),
            ]

    async def stop(self) -> None:
        """Send no more heartbeats, so that ``run`` returns."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def register(self) -> None:
        """Make the API know the gateway, after it did not.

        Of several callers, the first sends a heartbeat for all.
        """
        count = self._count
        async with self._beating:
            if self._count == count:
                self._is_complete = True
                await self._beat()

    async def flush(self) -> None:
        """Send the ended sessions until the API has recorded all."""
        while len(self._ended):
            if not await self._send_ended():
                await asyncio.sleep(self._worker.interval)

    async def _beat_regularly(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._hurry.clear()
            next_at = loop.time() + self._worker.interval
            async with self._beating:
                await self._beat()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(next_at):
                    await self._hurry.wait()

    async def _report_ended(self) -> None:
        while True:
            await self._has_ended.wait()
            await asyncio.sleep(_COLLECT_TIME)
            self._has_ended.clear()
            await self.flush()

    async def _beat(self) -> None:
        now = asyncio.get_running_loop().time()
        self._is_complete |= self._has_orphans(now)
        # Otherwise the API would close these as lost.
        if self._is_complete and not await self._send_all_ended():
            # Without a report, the API still learns that the gateway lives.
            await self._send(Report(is_complete=False, documents=[]))
            return
        reports = (
            self._traffic.all(now)
            if self._is_complete
            else self._traffic.changed(now)
        )
        self._is_complete = False
        for report in reports:
            if not await self._send(report):
                self._is_complete = True
                return
        self._count += 1

    def _has_orphans(self, now: float) -> bool:
        """Return whether the API may have sessions that do not exist."""
        found = self._ended.is_incomplete
        self._ended.is_incomplete = False
        if self._orphans_at is not None and now >= self._orphans_at:
            self._orphans_at = None
            found = True
        return found

    async def _send(self, report: Report) -> bool:
        """Send a heartbeat, or a part of it; return whether it succeeded."""
        loop = asyncio.get_running_loop()
        body = {"gateway": self._render(report)}
        try:
            response = await self._client.request(
                "PUT", self._path, body, timeout=self._timeout
            )
            instructions = answers.instructions(response)
        except (RequestFailed, ValueError) as error:
            self._fail(str(error), loop.time())
            return False
        self._succeed(loop.time())
        self._is_complete |= instructions.report_all
        for session_id, reason in instructions.cut:
            self._cut(session_id, reason)
        return True

    def _render(self, report: Report) -> dict[str, Any]:
        rendered: dict[str, Any] = {
            "name": self._worker.name,
            "interval": self._worker.interval,
            "complete": report.is_complete,
            "sessions": report.documents,
        }
        if report.first is not None:
            rendered |= {"first": report.first, "last": report.last}
        return rendered

    def _cut(self, session_id: str, reason: CloseReason) -> None:
        session = self._traffic.find(session_id)
        if session is None:
            return
        LOG.info("The API cuts session %s: %s", session_id, reason.label)
        try:
            session.cut(reason)
        except Exception:
            # The heartbeats of the others must go on.
            LOG.exception("Cannot cut session %s", session_id)

    def _fail(self, reason: str, now: float) -> None:
        self._statistics.failed_heartbeats += 1
        # A complete report of many sessions may take a long time.
        self._timeout = min(self._timeout * 2, self._client.timeout)
        if self._failing_since is None:
            self._failing_since = now
            LOG.warning(
                "Cannot send a heartbeat to the API: %s. Open sessions "
                "continue.",
                reason,
            )
        self.trouble = f"The API does not accept heartbeats: {reason}."

    def _succeed(self, now: float) -> None:
        self._timeout = max(self._timeout / 2, self._min_timeout)
        if self._failing_since is not None:
            LOG.info(
                "The API accepts heartbeats again, after %d s",
                now - self._failing_since,
            )
        self._failing_since = self.trouble = None

    async def _send_all_ended(self) -> bool:
        """Send the ended sessions; return whether all were recorded."""
        # At least once, to wait for those that are being sent.
        while await self._send_ended():
            if not len(self._ended):
                return True
        return False

    async def _send_ended(self) -> bool:
        """Send some ended sessions; return whether they were recorded."""
        async with self._sending:
            documents = self._ended.take()
            is_recorded = not documents
            if is_recorded:
                return True
            try:
                response = await self._client.request(
                    "POST", f"{self._path}/close", {"sessions": documents}
                )
                is_recorded = response.status == 204
                if response.status in _NEVER_ACCEPTED:
                    self._ended.is_incomplete = is_recorded = True
                    LOG.error(
                        "The API refuses reports of ended sessions: status %d",
                        response.status,
                    )
            except RequestFailed as error:
                LOG.debug("Cannot report ended sessions now: %s", error)
            finally:
                if not is_recorded:
                    self._statistics.failed_requests += 1
                    self._ended.put_back(documents)
            return is_recorded
