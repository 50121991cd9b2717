# SPDX-License-Identifier: Apache-2.0
"""Settings of sessions with a database, made on each new connection."""

import functools

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection

from console_api.db import watchdog

#: Seconds that a write waits for a lock.  A session that holds it for longer,
#: such as one at the database's prompt, must not occupy all threads.
LOCK_TIMEOUT = 5


def limit_statements(engine: Engine, seconds: int) -> None:
    """Limit the time of statements on PostgreSQL.

    On others, parameters of the URL do.  Not the parameter ``options`` of
    PostgreSQL, which PgBouncer refuses; but a limit in it is kept.
    """
    if (
        engine.dialect.name == "postgresql"
        and "statement_timeout" not in engine.url.query.get("options", "")
    ):
        _on_connect(engine, [f"SET statement_timeout = {seconds * 1000}"])
        watchdog.watch(engine, seconds)


def prepare_writes(engine: Engine, mysql_sql_mode: str | None) -> None:
    """Have the database enforce what the tables require, and end waits.

    :param mysql_sql_mode: the SQL mode of MariaDB, None for the server's
    """
    milliseconds = LOCK_TIMEOUT * 1000
    statements = {
        "sqlite": [
            "PRAGMA foreign_keys = ON",
            f"PRAGMA busy_timeout = {milliseconds}",
        ],
        "postgresql": [f"SET lock_timeout = {milliseconds}"],
        "mysql": [
            f"SET SESSION innodb_lock_wait_timeout = {LOCK_TIMEOUT}, "
            # For changes of tables.
            f"SESSION lock_wait_timeout = {LOCK_TIMEOUT}"
        ],
    }.get(engine.dialect.name, [])
    if engine.dialect.name == "mysql" and mysql_sql_mode is not None:
        mode = mysql_sql_mode.replace("'", "''")
        statements.append(f"SET SESSION sql_mode = '{mode}'")
    _on_connect(engine, statements)
    if engine.dialect.name == "sqlite":
        # A transaction that begins with a read could not write after another
        # one has.
        sa.event.listen(engine, "begin", _begin_immediately)


def _begin_immediately(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _on_connect(engine: Engine, statements: list[str]) -> None:
    sa.event.listen(engine, "connect", functools.partial(_execute, statements))


def _execute(
    statements: list[str], connection: DBAPIConnection, _record: object
) -> None:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()
    # On PostgreSQL, a rollback would undo them.
    connection.commit()
