# SPDX-License-Identifier: Apache-2.0
"""What has been learned of servers, believed for a few seconds."""

import threading
import time
from collections import OrderedDict

from console_api.directory.base import Server

# More servers than are looked at within a few seconds.
_MOST = 10_000


class Cache:
    """Remembers servers for a time; safe for threads."""

    def __init__(self, seconds: float) -> None:
        """Begin empty.

        :param seconds: how long a server is remembered; 0: not at all
        """
        self._seconds = seconds
        self._lock = threading.Lock()
        # In the order in which they are forgotten.
        self._servers: OrderedDict[str, tuple[float, Server]] = OrderedDict()

    def get(self, server_id: str) -> Server | None:
        """Return a server that is remembered."""
        with self._lock:
            until, server = self._servers.get(server_id, (0.0, None))
        return server if time.monotonic() < until else None

    def put(self, server: Server, asked_at: float) -> None:
        """Remember a server.

        :param asked_at: the monotonic time before the directory was asked:
            what it says may have been untrue a moment later
        """
        with self._lock:
            self._servers.pop(server.uuid, None)
            self._servers[server.uuid] = (asked_at + self._seconds, server)
            while len(self._servers) > _MOST:
                self._servers.popitem(last=False)

    def drop(self, server_id: str) -> None:
        """Forget a server."""
        with self._lock:
            self._servers.pop(server_id, None)
