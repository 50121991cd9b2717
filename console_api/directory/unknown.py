# SPDX-License-Identifier: Apache-2.0
"""Servers that a directory does not have.

The policy cannot be checked before the project of a server is known.  Without
a limit, every user could therefore cause any number of requests to Nova, with
the permissions of an administrator.
"""

import logging
import threading
import time

import cachetools
from oslo_context import context

LOG = logging.getLogger(__name__)

# More IDs, and users, than are looked up within the lifetime of an entry.
_MAX_ENTRIES = 10_000

# How many unknown servers a user may look up within a period of seconds, in
# one process.  A client that polls a deleted server asks for one only.
_MAX_LOOK_UPS = 60
_PERIOD = 60


class UnknownServers:
    """Remembers IDs of unknown servers, and counts look-ups by user.

    Safe for threads.
    """

    def __init__(self, cache_seconds: float) -> None:
        """Begin without any.

        :param cache_seconds: how long an ID is remembered
        """
        self._lock = threading.Lock()
        self._ids: cachetools.TTLCache[str, bool] = cachetools.TTLCache(
            _MAX_ENTRIES, cache_seconds, time.monotonic
        )
        # The counters are lists, because storing one renews its lifetime.
        self._counts: cachetools.TTLCache[str, list[int]] = (
            cachetools.TTLCache(_MAX_ENTRIES, _PERIOD, time.monotonic)
        )

    def __contains__(self, server_id: str) -> bool:
        """Return whether a server was unknown a moment ago."""
        with self._lock:
            return server_id in self._ids

    def add(self, server_id: str) -> None:
        """Remember an ID, and count it for the user of the request."""
        user = _user()
        with self._lock:
            self._ids[server_id] = True
            if user is None:
                return
            count = self._counts.setdefault(user, [0])
            count[0] += 1
        if count[0] == _MAX_LOOK_UPS:
            LOG.warning(
                "User %s has looked up %d unknown servers within %d s. "
                "Further look-ups of servers that are not stored are refused "
                "until then.",
                user,
                _MAX_LOOK_UPS,
                _PERIOD,
            )

    def is_limit_reached(self) -> bool:
        """Return whether the user of the request has looked up too many."""
        user = _user()
        with self._lock:
            return (
                user is not None
                and self._counts.get(user, [0])[0] >= _MAX_LOOK_UPS
            )


def _user() -> str | None:
    """Return the user of the request, None outside of requests."""
    current = context.get_current()
    return None if current is None else current.user_id or current.project_id
