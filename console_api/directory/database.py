# SPDX-License-Identifier: Apache-2.0
"""The directory ``database``: servers in console_api's own tables."""

from typing import Self

from oslo_config import cfg

from console_api import errors, values
from console_api.db import servers
from console_api.db.engine import Database
from console_api.directory.base import Directory, Server


class DatabaseDirectory(Directory):
    """Servers that ``console-api-manage server`` has registered."""

    def __init__(self, database: Database) -> None:
        """Look up servers in a database."""
        self._database = database

    @classmethod
    def from_conf(
        cls,
        conf: cfg.ConfigOpts,  # noqa: ARG003 (it has no options of its own)
        database: Database,
    ) -> Self:
        """Create the driver; see ``Directory.from_conf``."""
        return cls(database)

    def get(self, server_id: str) -> Server:
        """Return a server; see ``Directory.get``."""
        server = (
            servers.get(self._database, server_id)
            if values.is_uuid(server_id)
            else None
        )
        if server is None:
            raise errors.ServerNotFound(server_id)
        return server
