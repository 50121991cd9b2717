# SPDX-License-Identifier: Apache-2.0
"""Limit of connections that have not authenticated yet."""

import asyncio
from collections import OrderedDict


class PendingHandshakes:
    """The tasks of all connections that have not authenticated yet.

    When there are too many, the oldest is cancelled: connections that stay
    silent cannot keep others out.
    """

    def __init__(self, limit: int) -> None:
        """Start without connections.

        :param limit: how many there may be at a time
        """
        self._limit = limit
        self._tasks: OrderedDict[asyncio.Task[None], None] = OrderedDict()

    def add(self, task: asyncio.Task[None]) -> None:
        """Add a new connection; cancel the oldest if there are too many."""
        while len(self._tasks) >= self._limit:
            oldest, _ = self._tasks.popitem(last=False)
            oldest.cancel()
        self._tasks[task] = None

    def discard(self, task: asyncio.Task[None]) -> None:
        """Remove a connection, which has authenticated or ended."""
        self._tasks.pop(task, None)
