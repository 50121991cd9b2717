# SPDX-License-Identifier: Apache-2.0
"""Limits on requests that Nova forwards to a compute host."""

import contextlib
import threading
from collections.abc import Iterator

import cachetools

from console_api import bulkhead
from console_api.bulkhead import Bulkhead
from console_api.directory.nova.responses import TimedOut

# Seconds to queue for a compute host, which may take a second to respond.
_MAX_WAIT = 2.0

# Compute hosts that are remembered because they did not respond.
_MAX_HUNG_HOSTS = 10_000


class ComputeHostLimits:
    """Limits, so that a hung compute host delays only its own servers.

    The requests to a compute host may occupy half of the slots of the process,
    and so may those to all compute hosts whose last request timed out: many
    of them may hang at once, after the failure of a switch, for example.
    """

    def __init__(self) -> None:
        """Begin with compute hosts that respond."""
        self._lock = threading.Lock()
        self._hung: cachetools.LRUCache[str, bool] = cachetools.LRUCache(
            _MAX_HUNG_HOSTS
        )
        # Bulkheads with the number of requests that use or queue for them.
        self._bulkheads: dict[str | None, tuple[Bulkhead, int]] = {}

    @contextlib.contextmanager
    def request(self, compute_host: str) -> Iterator[None]:
        """Send a request to a compute host within the context.

        :raises Overloaded: too many others wait for this compute host
        """
        slots = bulkhead.max_slots()
        if slots is None:
            yield
            return
        with (
            self._limit(compute_host, max(1, slots // 2)) as limit,
            limit.slot(),
        ):
            try:
                yield
            except TimedOut:
                with self._lock:
                    self._hung[compute_host] = True
                raise
            else:
                with self._lock:
                    self._hung.pop(compute_host, None)

    @contextlib.contextmanager
    def _limit(self, compute_host: str, slots: int) -> Iterator[Bulkhead]:
        """Provide the bulkhead of a compute host.

        It exists as long as a request uses it.
        """
        with self._lock:
            key = None if compute_host in self._hung else compute_host
            found, users = self._bulkheads.get(key) or (
                Bulkhead(
                    "compute hosts that do not respond"
                    if key is None
                    else f"compute host {compute_host}",
                    slots,
                    max_queue=max(1, slots // 2),
                    max_wait=_MAX_WAIT,
                ),
                0,
            )
            self._bulkheads[key] = found, users + 1
        try:
            yield found
        finally:
            with self._lock:
                _, users = self._bulkheads.pop(key)
                if users > 1:
                    self._bulkheads[key] = found, users - 1
