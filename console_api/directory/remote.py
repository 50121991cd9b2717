# SPDX-License-Identifier: Apache-2.0
"""What all directories share whose servers are elsewhere."""

import abc
import time

from console_api import errors
from console_api.db.engine import Database
from console_api.directory import records
from console_api.directory.base import Directory, Server, is_server_id
from console_api.directory.cache import Cache


class RemoteDirectory(Directory):
    """Asks elsewhere, and keeps the table ``servers`` current with that."""

    def __init__(self, database: Database, cache_seconds: float) -> None:
        """Keep the rows in this database.

        :param cache_seconds: how long an answer is believed
        """
        self._database = database
        self._cache = Cache(cache_seconds)

    @abc.abstractmethod
    def find(self, server_id: str) -> Server:
        """Ask for a server.

        :param server_id: a canonical UUID
        :raises ServerNotFound: it is certain that there is no such server;
            what is known of it is deleted
        :raises DirectoryUnavailable: anything else that is no answer; the
            driver has logged what it was
        """

    def get(self, server_id: str) -> Server:
        """Look a server up; see ``Directory.get``.

        What is remembered is not believed if another process has learned
        better: that the server has another project, or is gone.
        """
        remembered = self._cache.get(server_id)
        if remembered and records.is_kept(self._database, remembered):
            return remembered
        return self.refresh(server_id)

    def refresh(self, server_id: str) -> Server:
        """Look a server up as it is now, whatever is remembered.

        :raises ServerNotFound: there is no such server
        :raises Unavailable: the directory does not answer
        """
        if not is_server_id(server_id):
            raise errors.ServerNotFound(server_id)
        asked_at = time.monotonic()
        try:
            server = self.find(server_id)
        except errors.ServerNotFound:
            self._cache.drop(server_id)
            self.forget(server_id)
            raise
        records.keep(self._database, server)
        self._cache.put(server, asked_at)
        return server

    def forget(self, server_id: str) -> None:
        """Delete what is known of a server that is not there."""
        records.forget(self._database, server_id)
