# SPDX-License-Identifier: Apache-2.0
"""The directory ``database``: servers in console_api's own tables."""

from collections.abc import Sequence
from typing import Any, Self

import sqlalchemy as sa
from oslo_config import cfg

from console_api import errors, values
from console_api.db import servers
from console_api.db.engine import Database
from console_api.directory.base import Directory, Endpoint, Server


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
        rows = (
            servers.get(self._database, server_id)
            if values.is_uuid(server_id)
            else ()
        )
        if not rows:
            raise errors.ServerNotFound(server_id)
        return server_from_rows(rows)


def server_from_rows(rows: Sequence[sa.Row[Any]]) -> Server:
    """Return a server from its rows, one for each endpoint."""
    first = rows[0]
    return Server(
        uuid=first.uuid,
        project_id=first.project_id,
        name=first.name,
        instance_name=first.instance_name,
        compute_host=first.compute_host,
        endpoints={
            row.protocol: Endpoint(
                host=row.host,
                port=row.port,
                tls_port=row.tls_port,
                internal_access_path=row.internal_access_path,
            )
            for row in rows
            if row.protocol is not None
        },
    )
