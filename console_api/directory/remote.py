# SPDX-License-Identifier: Apache-2.0
"""Common part of directories whose servers are stored elsewhere."""

import abc
import threading
import time

import cachetools

from console_api import errors, values
from console_api.bulkhead import acquire_slot
from console_api.db import servers
from console_api.db.engine import Database
from console_api.directory import records
from console_api.directory.base import Directory, Server
from console_api.directory.unknown import UnknownServers

# More servers than are looked up within ``cache_seconds``.
_MAX_CACHED_SERVERS = 10_000


class RemoteDirectory(Directory):
    """Look up servers elsewhere, and update the table ``servers``."""

    def __init__(self, database: Database, cache_seconds: float) -> None:
        """Prepare the cache.

        :param database: where the table ``servers`` is
        :param cache_seconds: how long an answer is reused; 0 disables that
        """
        self._database = database
        # Answers with the time at which they were requested: one may be
        # outdated a moment later, so its lifetime starts there.
        self._cache: cachetools.TLRUCache[str, tuple[float, Server]] = (
            cachetools.TLRUCache(
                _MAX_CACHED_SERVERS,
                ttu=lambda _server_id, entry, _now: entry[0] + cache_seconds,
                timer=time.monotonic,
            )
        )
        self._lock = threading.Lock()
        self._unknown = UnknownServers(cache_seconds)

    @abc.abstractmethod
    def find(self, server_id: str) -> Server:
        """Look up a server in the external service.

        :param server_id: a canonical UUID
        :raises ServerNotFound: there certainly is no such server; its row,
            consoles and tokens are deleted
        :raises DirectoryUnavailable: anything else that is no answer; the
            driver has logged the reason
        """

    def get(self, server_id: str) -> Server:
        """Return a server; see ``Directory.get``.

        A cached answer is not used if another process has found out more:
        that the server belongs to another project, or has been deleted.

        :raises Overloaded: too many other requests are waiting, or the user
            has looked up too many unknown servers
        """
        cached = self._cached(server_id)
        if cached and records.is_current(self._database, cached):
            return cached
        self._check_unknown(server_id)
        return self.refresh(server_id)

    def _check_unknown(self, server_id: str) -> None:
        """Refuse to ask for a server that probably does not exist.

        A server that is stored is asked for in any case.

        :raises ServerNotFound: it was unknown a moment ago
        :raises Overloaded: the user has looked up too many unknown servers
        """
        is_unknown = server_id in self._unknown
        if (
            (is_unknown or self._unknown.is_limit_reached())
            and values.is_uuid(server_id)
            and servers.get(self._database, server_id) is None
        ):
            if is_unknown:
                raise errors.ServerNotFound(server_id)
            raise errors.Overloaded

    def confirm(self, server_id: str) -> bool:
        """Ask the external service, unless its last answer is recent.

        See ``Directory.confirm``.
        """
        if self._cached(server_id):
            return False
        self.refresh(server_id)
        return True

    def _cached(self, server_id: str) -> Server | None:
        with self._lock:
            _, cached = self._cache.get(server_id, (0.0, None))
        return cached

    def refresh(self, server_id: str) -> Server:
        """Return a server as it is now, bypassing the cache.

        :raises ServerNotFound: there is no such server
        :raises Overloaded: too many other requests are waiting
        :raises Unavailable: the directory does not answer
        """
        if not values.is_uuid(server_id):
            raise errors.ServerNotFound(server_id)
        acquire_slot()
        requested_at = time.monotonic()
        try:
            server = self.find(server_id)
        except errors.ServerNotFound:
            with self._lock:
                self._cache.pop(server_id, None)
            self.forget(server_id)
            # Some directories wait for a while before they delete.
            if servers.get(self._database, server_id) is None:
                self._unknown.add(server_id)
            raise
        records.update(self._database, server)
        with self._lock:
            self._cache[server_id] = requested_at, server
        return server

    def forget(self, server_id: str) -> None:
        """Delete the row, consoles and tokens of a server that is gone."""
        records.delete(self._database, server_id)
