# SPDX-License-Identifier: Apache-2.0
"""The version of the schema: read it, check it, bring it up to date."""

from pathlib import Path

import alembic.command
import alembic.config
import alembic.migration
import alembic.script
import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import exception as db_exc
from sqlalchemy import exc as sa_exc

from console_api import errors
from console_api.db.engine import database_url

MIGRATIONS = Path(__file__).parent / "migrations"


def head() -> str:
    """Return the version of the schema that this code needs."""
    scripts = alembic.script.ScriptDirectory(str(MIGRATIONS))
    version = scripts.get_current_head()
    if version is None:
        raise errors.ConfigurationError(
            "The migrations are not installed. Install console-api again."
        )
    return version


def version(conf: cfg.ConfigOpts) -> str | None:
    """Return the version of the schema of the database, None if empty.

    :raises DatabaseUnavailable: the database does not answer
    """
    engine = sa.create_engine(database_url(conf), poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            context = alembic.migration.MigrationContext.configure(connection)
            return context.get_current_revision()
    except (sa_exc.DBAPIError, db_exc.DBError) as error:
        raise errors.DatabaseUnavailable from error
    finally:
        engine.dispose()


def check(conf: cfg.ConfigOpts) -> None:
    """Make sure that the database has the schema this code needs.

    :raises ConfigurationError: it has another one, or none
    :raises DatabaseUnavailable: the database does not answer
    """
    found, needed = version(conf), head()
    if found != needed:
        raise errors.ConfigurationError(
            f"The database schema is at version {found or 'none'}, but "
            f"{needed} is needed. Run: console-api-manage db sync"
        )


def sync(conf: cfg.ConfigOpts) -> None:
    """Bring the schema up to date; does nothing if it is.

    :raises DatabaseUnavailable: the database does not answer
    """
    # Without the time limit on statements: a migration takes its time.
    url = database_url(conf)
    if url.get_backend_name() != "sqlite":
        url = url.difference_update_query(
            ["options", "read_timeout", "write_timeout"]
        )
    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                # Readers then go on while a writer writes.
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                connection.commit()
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, "head")
            connection.commit()
    except sa_exc.OperationalError as error:
        raise errors.DatabaseUnavailable from error
    finally:
        engine.dispose()
