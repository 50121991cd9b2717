# SPDX-License-Identifier: Apache-2.0
"""Contract of a directory, where servers are looked up."""

import abc
from typing import Self

from oslo_config import cfg

from console_api.db.engine import Database
from console_api.db.servers import Endpoint, Server

# Part of the contract: drivers and callers import them from here.
__all__ = ["SKIP_FILTER", "Directory", "Endpoint", "Server"]

#: A header of requests that a directory sends to the API whose pipeline may
#: contain our filter: the filter passes them on.
SKIP_FILTER = "X-Console-API-Skip-Filter"


class Directory(abc.ABC):
    """A driver in the namespace ``console_api.directory``.

    Its methods are called by several threads at a time.
    """

    @classmethod
    @abc.abstractmethod
    def from_conf(cls, conf: cfg.ConfigOpts, database: Database) -> Self:
        """Create the driver; called once in a process, at its start.

        :param conf: the configuration; a driver with options of its own
            registers them here
        :param database: for the table ``servers``, see ``get``
        :raises ConfigurationError: an option is invalid; a service that
            does not answer is no reason
        """

    @abc.abstractmethod
    def get(self, server_id: str) -> Server:
        """Return a server.

        Its ``endpoints`` may be empty although it has displays, where finding
        them out is expensive; see ``endpoint``.

        Consoles and tokens refer to the server's row in the table
        ``servers``.  A driver for servers that are stored elsewhere updates
        that row before it returns, see ``console_api.directory.records``.

        :param server_id: as the caller sent it, possibly not a UUID
        :raises ServerNotFound: there is no such server
        :raises Forbidden: the caller may not see servers of its own project,
            for directories that query as the caller
        :raises Unavailable: the directory does not answer
        """

    def endpoint(self, server: Server, protocol: str) -> Endpoint | None:
        """Return the endpoint of a server for a protocol, None without one.

        Called only before a connection is made: it may be more expensive
        than ``get``.

        :param server: as returned by ``get``
        :param protocol: one of ``values.PROTOCOLS``
        :raises ServerNotFound: the server has been deleted
        :raises ServerNotReady: the server has no display yet
        :raises Unavailable: the directory does not answer
        """
        return server.endpoints.get(protocol)

    def confirm(
        self,
        server_id: str,  # noqa: ARG002 (for drivers that override this)
    ) -> bool:
        """Bring the row of a server up to date before its token is honored.

        Tokens follow the row: those of a server that has moved to another
        compute host or project are deleted with the change.  A driver for
        servers that are stored elsewhere asks there, unless its last answer
        is recent.

        :param server_id: of a server in the table ``servers``
        :returns: whether the row may have changed
        :raises ServerNotFound: the server has been deleted
        :raises Unavailable: the directory does not answer
        """
        return False
