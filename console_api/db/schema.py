# SPDX-License-Identifier: Apache-2.0
"""The version of the schema: read, check and upgrade it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import exception as db_exc
from sqlalchemy import exc as sa_exc

from console_api import errors
from console_api.db import reasons, sessions
from console_api.db.url import (
    STATEMENT_TIMEOUT,
    database_url,
    missing_driver,
)

MIGRATIONS = Path(__file__).parent / "migrations"

#: The table with the version, which alembic maintains.
VERSION = sa.table("alembic_version", sa.column("version_num", sa.String))

# Statements that wait until no other process migrates this database.
_LOCK = {
    "mysql": "SELECT GET_LOCK(MD5(CONCAT('console_api.', DATABASE())), 3600)",
    # Until the end of the transaction: behind PgBouncer, that of a session
    # might be held for good.
    "postgresql": "SELECT pg_advisory_xact_lock(hashtext('console_api'))",
    "sqlite": "BEGIN IMMEDIATE",
}


def head() -> str:
    """Return the version of the schema that this code requires.

    The names of migrations begin with the version that they create.
    """
    names = sorted(path.name for path in MIGRATIONS.glob("versions/*.py"))
    if not names:
        raise errors.ConfigurationError(
            "The migrations are not installed. Install console-api again."
        )
    return names[-1].partition("_")[0]


def version(conf: cfg.ConfigOpts) -> str | None:
    """Return the version of the schema of the database, None if empty.

    :raises DatabaseUnavailable: the database does not respond
    """
    url = database_url(conf)
    if _is_missing(url):
        return None
    try:
        with _connect(url, STATEMENT_TIMEOUT) as connection:
            if not sa.inspect(connection).has_table(VERSION.name):
                return None
            found: str | None = connection.scalar(
                sa.select(VERSION.c.version_num)
            )
            return found
    except (sa_exc.DBAPIError, db_exc.DBError) as error:
        raise errors.DatabaseUnavailable(reasons.reason(error)) from error


def check(conf: cfg.ConfigOpts) -> None:
    """Check that the database has the schema that this code requires.

    :raises ConfigurationError: it has another schema, or none
    :raises DatabaseUnavailable: the database does not respond
    """
    found, needed = version(conf), head()
    if found != needed:
        raise errors.ConfigurationError(
            f"The database schema is at version {found or 'none'}, but "
            f"{needed} is required. Run: console-api-manage db sync, unless "
            "[database] connection names the wrong database."
        )


def sync(conf: cfg.ConfigOpts) -> None:
    """Upgrade the schema if necessary.

    Concurrent calls wait for each other.

    :raises ConfigurationError: the schema is that of a newer version
    :raises DatabaseUnavailable: the database does not respond
    """
    # Imported here, because workers of the API only compare versions and
    # need 11 MB less memory without it.
    import alembic.command  # noqa: PLC0415
    import alembic.config  # noqa: PLC0415
    import alembic.util  # noqa: PLC0415

    # Without the timeout of statements, because migrations may take longer.
    url = database_url(conf)
    if url.get_backend_name() != "sqlite":
        url = url.difference_update_query(
            ["options", "read_timeout", "write_timeout"]
        )
    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with _connect(url) as connection:
            _lock(connection)
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, "head")
            connection.commit()
    except alembic.util.CommandError as error:
        raise errors.ConfigurationError(
            f"The database schema cannot be upgraded: {error}. If it is that "
            "of a newer version of console-api, install that version."
        ) from error
    except sa_exc.DBAPIError as error:
        raise errors.DatabaseUnavailable(reasons.reason(error)) from error


def _is_missing(url: sa.URL) -> bool:
    """Return whether the folder of an SQLite database lacks its file.

    If the folder is missing, too, it may be on a disk that is not mounted.
    """
    if url.get_backend_name() != "sqlite" or "uri" in url.query:
        return False
    path = Path(url.database or "")
    return path.parent.exists() and not path.exists()


@contextlib.contextmanager
def _connect(
    url: sa.URL, statement_timeout: int | None = None
) -> Iterator[sa.Connection]:
    try:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
    except ImportError as error:
        raise missing_driver(error) from error
    if statement_timeout is not None:
        sessions.limit_statements(engine, statement_timeout)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _lock(connection: sa.Connection) -> None:
    """Lock the database against other migrations, for this connection."""
    if connection.dialect.name == "sqlite":
        # Readers are not blocked by a writer.
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.commit()
    lock = _LOCK.get(connection.dialect.name)
    if lock:
        connection.exec_driver_sql(lock)
