# SPDX-License-Identifier: Apache-2.0
"""Databases for tests: SQLite, and real MariaDB and PostgreSQL servers.

Each test process creates databases with unique names and drops them when it
exits.  Later runs drop those that killed processes left behind.

oslo.db's provisioning would not be shorter: it hides why a server cannot be
reached, and keeps databases of killed processes.
"""

import atexit
import contextlib
import functools
import os
import secrets
import shutil
import tempfile
import time
import unittest
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url

from console_api.db import tables

#: The databases on which functional tests run.
NAMES = ("sqlite", "mysql", "postgresql")

#: ``last_seen_at`` of a console host that stays up without an agent.
ALWAYS_UP = 2**37

#: Set to 1, this environment variable makes an unavailable server an error.
REQUIRED = "CONSOLE_API_TEST_REQUIRE_DATABASES"

# Environment variable and default of the URL of each server, for an account
# that may create databases.
_ADMIN_URLS = {
    "mysql": (
        "CONSOLE_API_TEST_MYSQL_URL",
        "mysql+pymysql://root@127.0.0.1:3306/",
    ),
    "postgresql": (
        "CONSOLE_API_TEST_POSTGRESQL_URL",
        "postgresql+psycopg2://postgres@127.0.0.1:5432/postgres",
    ),
}

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None

_PREFIX = "console_api_test_"

# Seconds after which databases are left over: no run takes as long.
_MAX_AGE = 6 * 3600


@dataclass(frozen=True)
class TestDatabase:
    """A database of this process."""

    name: str
    url: URL

    @functools.cached_property
    def engine(self) -> Engine:
        """Engine of the tests, independent of the code under test."""
        if self.name != "sqlite":
            return sa.create_engine(self.url, pool_size=1, max_overflow=20)
        engine = sa.create_engine(
            self.url, poolclass=sa.NullPool, connect_args={"timeout": 60}
        )
        sa.event.listen(engine, "connect", _check_foreign_keys)
        return engine

    @property
    def text(self) -> str:
        """The URL, as in a configuration file."""
        return self.url.render_as_string(hide_password=False)

    def execute(
        self, statement: sa.Executable, parameters: Parameters = None
    ) -> sa.CursorResult[Any]:
        """Execute a statement in a transaction."""
        with self.engine.begin() as connection:
            result = connection.execute(statement, parameters)
            assert isinstance(result, sa.CursorResult)
            return result

    def rows(
        self, statement: sa.Select[Any], parameters: Parameters = None
    ) -> list[sa.Row[Any]]:
        """Execute a SELECT and return all rows."""
        with self.engine.connect() as connection:
            return list(connection.execute(statement, parameters))

    def count(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
        """Return the number of rows of a table."""
        statement = sa.select(sa.func.count()).select_from(table).where(*where)
        return int(self.rows(statement)[0][0])


def create(name: str) -> TestDatabase:
    """Create an empty database that is dropped when the process exits.

    :param name: one of ``NAMES``
    :raises unittest.SkipTest: the server is unavailable, and not required
    :raises RuntimeError: the server is unavailable, but required
    """
    database = f"{_PREFIX}{int(time.time())}_{secrets.token_hex(6)}"
    if name == "sqlite":
        path = folder() / f"{database}.sqlite"
        return TestDatabase(name, make_url(f"sqlite:///{path}"))
    _check_reachable(name)
    with _admin(name) as connection:
        connection.exec_driver_sql(_CREATE[name].format(database))
    created = TestDatabase(name, admin_url(name).set(database=database))
    atexit.register(_drop, created)
    return created


def admin_url(name: str) -> URL:
    """Return the URL of the administrator of a database server."""
    variable, default = _ADMIN_URLS[name]
    return make_url(os.environ.get(variable) or default)


_CREATE = {
    "mysql": "CREATE DATABASE {} CHARACTER SET utf8mb4",
    "postgresql": "CREATE DATABASE {}",
}
_DROP = {
    "mysql": "DROP DATABASE IF EXISTS {}",
    "postgresql": "DROP DATABASE IF EXISTS {} WITH (FORCE)",
}
_LIST = {
    "mysql": "SELECT schema_name FROM information_schema.schemata",
    "postgresql": "SELECT datname FROM pg_database",
}


def insert_console_host(
    database: TestDatabase, host: Mapping[str, object]
) -> None:
    """Insert a console host.

    :param host: columns; it is up, unless there is another ``last_seen_at``
    """
    columns = dict(host)
    seen_at = columns.pop("last_seen_at", ALWAYS_UP)
    inserted = database.execute(tables.console_hosts.insert(), columns)
    assert inserted.inserted_primary_key is not None
    database.execute(
        tables.console_host_heartbeats.insert(),
        {
            "console_host_id": inserted.inserted_primary_key[0],
            "last_seen_at": seen_at,
        },
    )


@functools.cache
def folder() -> Path:
    """Return the folder of this process, which is deleted when it exits."""
    for old in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if old.stat().st_mtime < time.time() - _MAX_AGE:
                shutil.rmtree(old, ignore_errors=True)
    path = tempfile.mkdtemp(prefix=_PREFIX)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


@contextlib.contextmanager
def _admin(name: str) -> Iterator[Connection]:
    engine = sa.create_engine(
        admin_url(name),
        isolation_level="AUTOCOMMIT",
        poolclass=sa.NullPool,
        connect_args={"connect_timeout": 5},
    )
    with engine.connect() as connection:
        yield connection


def _check_reachable(name: str) -> None:
    reason = _unreachable(name)
    if reason is None:
        return
    message = (
        f"No {name} server is available at {admin_url(name)!r}: {reason}. "
        f"Start one, or set {_ADMIN_URLS[name][0]}."
    )
    if os.environ.get(REQUIRED) == "1":
        raise RuntimeError(f"{message} It is required by {REQUIRED}=1.")
    raise unittest.SkipTest(message)


@functools.cache
def _unreachable(name: str) -> str | None:
    try:
        with _admin(name) as connection:
            _drop_old(name, connection)
    except (sa.exc.DBAPIError, ImportError) as error:
        return str(error).splitlines()[0]
    return None


def _drop_old(name: str, connection: Connection) -> None:
    for (database,) in connection.exec_driver_sql(_LIST[name]).all():
        if not database.startswith(_PREFIX):
            continue
        created_at = database.removeprefix(_PREFIX).partition("_")[0]
        if created_at.isdigit() and int(created_at) < time.time() - _MAX_AGE:
            connection.exec_driver_sql(_DROP[name].format(database))


def _drop(database: TestDatabase) -> None:
    database.engine.dispose()
    with _admin(database.name) as connection:
        connection.exec_driver_sql(
            _DROP[database.name].format(database.url.database)
        )


def _check_foreign_keys(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
