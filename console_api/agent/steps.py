# SPDX-License-Identifier: Apache-2.0
"""Steps of reconciliation, whose failures end neither it nor sessions."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from console_api import errors

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
    "_end_expired": "Expired consoles are closed again.",
    "_record_heartbeat": "Recording heartbeats again.",
    "_report_applied": "Recording which consoles are served again.",
}


class Steps:
    """Runs steps, and logs those that fail."""

    def __init__(self) -> None:
        """Start with steps that have not failed."""
        # The names of the steps that failed the last time.
        self._failing: set[str] = set()

    async def run_while(
        self,
        step: Callable[[], Awaitable[None]],
        interval: float,
        act: Callable[[], Awaitable[None]],
    ) -> None:
        """Run a step, and another one at intervals until it has ended.

        :param interval: in seconds
        :param act: the other one
        """
        running = asyncio.create_task(self.run(step))
        try:
            while not (await asyncio.wait([running], timeout=interval))[0]:
                await self.run(act)
        finally:
            running.cancel()
        running.result()

    async def run(self, step: Callable[[], Awaitable[None]]) -> None:
        """Run a step; log its first failure in a row, and its recovery.

        :param step: a method of the reconciler
        :raises ConfigurationError: the console host cannot be registered
        """
        name = step.__name__
        try:
            await step()
        except errors.DatabaseUnavailable as error:
            if name not in self._failing:
                LOG.warning(_UNAVAILABLE[name], error.reason)
            self._failing.add(name)
        except errors.Conflict as error:
            raise errors.ConfigurationError(f"[agent] {error}") from error
        except Exception:
            # A bug must not end sessions.
            if name not in self._failing:
                LOG.exception("Unexpected error in reconciliation; retrying.")
            self._failing.add(name)
        else:
            if name in self._failing:
                LOG.warning(_RECOVERED[name])
            self._failing.discard(name)
