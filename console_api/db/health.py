# SPDX-License-Identifier: Apache-2.0
"""What the database can do right now."""

import os
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from oslo_config import cfg
from sqlalchemy import exc as sa_exc
from sqlalchemy.engine import Connection

from console_api.db import pools, reasons, schema, sessions
from console_api.db.url import database_url, missing_driver, without_creating

# Seconds that a connection may take to be made, and a statement to end: load
# balancers wait for the answer.
_TIMEOUT = 3

# Fails if the tables are missing or damaged, or the node of a Galera cluster
# is not ready.
_PROBE = sa.select(schema.VERSION.c.version_num)


@dataclass(frozen=True, slots=True)
class Health:
    """Why reads and writes are not possible, None if they are.

    The reasons are for operators, on one line each.
    """

    reads: str | None
    writes: str | None


class HealthProbe:
    """Examines the database, each time on a new connection.

    A pooled connection would still read a deleted SQLite file, and would not
    show whether new connections can be established.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Prepare the probe; nothing is connected yet.

        :raises ConfigurationError: the URL is invalid or its driver missing
        """
        url = without_creating(database_url(conf, _TIMEOUT, _TIMEOUT))
        self._file = database_url(conf).database
        try:
            self._engine = sa.create_engine(
                url,
                isolation_level="AUTOCOMMIT",
                poolclass=sa.NullPool,
                hide_parameters=True,
            )
        except ImportError as error:
            raise missing_driver(error) from error
        sessions.limit_statements(self._engine, _TIMEOUT)

    def run(self) -> Health:
        """Examine the database within a few seconds, writing nothing."""
        try:
            with self._engine.connect() as connection:
                connection.execute(_PROBE).all()
                if self._is_read_only(connection):
                    return Health(None, "the database is read-only")
        except sa_exc.SQLAlchemyError as error:
            reason = reasons.reason(error)
            return Health(reason, reason)
        return Health(None, None)

    def _is_read_only(self, connection: Connection) -> bool:
        query = pools.ROLE_QUERIES.get(connection.dialect.name)
        if query is not None:
            role = connection.exec_driver_sql(query).scalar()
            return not pools.is_writable(role)
        if connection.dialect.name != "sqlite":
            return False
        path = Path(self._file or "")
        # SQLite creates more files in the folder.
        return not all(os.access(p, os.W_OK) for p in (path, path.parent))
