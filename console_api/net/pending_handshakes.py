# SPDX-License-Identifier: Apache-2.0
"""Limit of connections that have not authenticated yet."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Protocol


class Cancellable(Hashable, Protocol):
    """A task, or another connection."""

    def cancel(self) -> object:
        """End the connection."""


class PendingHandshakes:
    """The tasks of all connections that have not authenticated yet.

    When there are too many, the address that has the most loses its oldest:
    connections that stay silent, or stay at the password prompt, keep out
    others only if they come from as many addresses as there may be
    connections.
    """

    def __init__(self, limit: int) -> None:
        """Start without connections.

        :param limit: how many there may be at a time
        """
        self._limit = limit
        self._addresses: dict[Cancellable, str] = {}
        # The oldest task of each address, and the oldest address, come first.
        self._tasks: dict[str, OrderedDict[Cancellable, None]] = {}

    def __len__(self) -> int:
        """Return the number of connections."""
        return len(self._addresses)

    def add(self, task: Cancellable, address: str) -> None:
        """Add a new connection; cancel another one if there are too many.

        :param address: what the connections of one client have in common
        """
        self._addresses[task] = address
        self._tasks.setdefault(address, OrderedDict())[task] = None
        while len(self._addresses) > self._limit:
            tasks = max(self._tasks.values(), key=len)
            oldest = next(iter(tasks))
            self.discard(oldest)
            oldest.cancel()

    def discard(self, task: Cancellable) -> None:
        """Remove a connection, which has authenticated or ended."""
        address = self._addresses.pop(task, None)
        if address is None:
            return
        tasks = self._tasks[address]
        del tasks[task]
        if not tasks:
            del self._tasks[address]
