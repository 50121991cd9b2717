# SPDX-License-Identifier: Apache-2.0
"""The engines for reads and writes, with their pools of connections."""

import functools
import inspect
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db.sqlalchemy import exc_filters
from sqlalchemy import exc as sa_exc
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from console_api.db import failures, sessions
from console_api.db.url import (
    STATEMENT_TIMEOUT,
    database_url,
    without_creating,
)

# Seconds to wait for a connection of the pool, unless [database] sets it.
_POOL_TIMEOUT = 30

# SQLAlchemy before 2.0.43 ends a read on MariaDB with a rollback, which costs
# a round trip.
_SKIP_ROLLBACK = (
    {"skip_autocommit_rollback": True}
    if "skip_autocommit_rollback"
    in inspect.signature(DefaultDialect).parameters
    else {}
)

# Seconds after which a connection for reads is checked again.
_CHECK_INTERVAL = 2.0

# Seconds after which a server that refuses to work causes another discard.  As
# long as new connections are to such a server, too, the others are no worse.
_REFUSAL_INTERVAL = 1.0

#: Statements that return whether the server accepts only reads.
ROLE_QUERIES = {
    "mysql": "SELECT @@global.read_only",
    "postgresql": "SHOW transaction_read_only",
}


# Takes a connection and its record in the pool.
ConnectionCheck = Callable[[DBAPIConnection, ConnectionPoolEntry], bool]


class PoolGuard:
    """Discards all connections of a process when one is found useless.

    After the failure or the demotion of a server, every pooled connection
    would otherwise cost a request its own error.  A connection for reads
    would go on reading from a demoted server, which may be out of date.
    """

    def __init__(self) -> None:
        """Create a guard without engines."""
        self._discarded_at = -math.inf

    def watch(
        self, engine: Engine, is_right: ConnectionCheck | None = None
    ) -> None:
        """Guard the pool of an engine.

        :param is_right: returns whether a connection leads to the right
            database; called at most every ``_CHECK_INTERVAL`` for each
        """
        sa.event.listen(engine, "connect", self._connected)
        sa.event.listen(
            engine,
            "checkout",
            functools.partial(self._check_out, is_right),
        )
        sa.event.listen(engine, "handle_error", self._handle_error)

    def _handle_error(self, context: ExceptionContext) -> None:
        if failures.requires_new_connection(context.original_exception):
            context.is_disconnect = True
        if context.is_disconnect:
            self.discard(context.original_exception)
        elif (
            failures.is_misconfiguration(context.original_exception)
            and context.sqlalchemy_exception is not None
        ):
            # oslo.db would log it with its traceback.
            raise context.sqlalchemy_exception

    def discard(self, error: BaseException | None = None) -> None:
        """Discard all connections.

        :param error: why, None if the server is read-only
        """
        now = time.monotonic()
        if (
            error is None or failures.is_refusal(error)
        ) and now - self._discarded_at < _REFUSAL_INTERVAL:
            return
        self._discarded_at = now

    def _connected(
        self, _connection: DBAPIConnection, record: ConnectionPoolEntry
    ) -> None:
        now = time.monotonic()
        record.info.update(is_new=True, connected_at=now, checked_at=now)

    def _check_out(
        self,
        is_right: ConnectionCheck | None,
        connection: DBAPIConnection,
        record: ConnectionPoolEntry,
        _proxy: object,
    ) -> None:
        """Check a pooled connection.

        :raises DisconnectionError: it is of no more use; SQLAlchemy replaces
            it
        """
        info = record.info
        if info.pop("is_new", False):
            return
        if info["connected_at"] < self._discarded_at:
            raise sa_exc.DisconnectionError("discarded")
        if is_right is None:
            return
        now = time.monotonic()
        if now - info["checked_at"] < _CHECK_INTERVAL:
            return
        if not is_right(connection, record):
            self.discard()
            raise sa_exc.DisconnectionError("dead, or to a read-only server")
        info["checked_at"] = now


def create_reader(conf: cfg.ConfigOpts, guard: PoolGuard) -> Engine:
    """Create the engine for reads: autocommit, no ping, no rollback.

    A read is one statement, so it needs no transaction, and a connection
    that has died is noticed by the read itself (``Database.read``).  Each of
    these would cost a round trip of its own.
    """
    engine = _create(conf, isolation_level="AUTOCOMMIT", **_SKIP_ROLLBACK)
    guard.watch(engine, _connection_check(engine, conf))
    return engine


def create_writer(conf: cfg.ConfigOpts, guard: PoolGuard) -> Engine:
    """Create the engine for transactions, whose errors are those of oslo.db.

    Each transaction ends with a commit or a rollback of its own.
    """
    engine = _create(conf)
    # First, so that oslo.db wraps what it marks as a disconnect.
    guard.watch(engine)
    exc_filters.register_engine(engine)
    sessions.prepare_writes(engine, conf.database.mysql_sql_mode)
    return engine


def _create(conf: cfg.ConfigOpts, **options: Any) -> Engine:
    engine = sa.create_engine(
        without_creating(database_url(conf)),
        # Not oslo.db's engine: its ping and its rollback cost a round trip
        # each, and it makes each thread wait for the others.
        pool_reset_on_return=None,
        pool_size=conf.database.max_pool_size,
        max_overflow=conf.database.max_overflow,
        pool_timeout=conf.database.pool_timeout or _POOL_TIMEOUT,
        pool_recycle=conf.database.connection_recycle_time,
        # Errors go to the log with their statement; hashes of tokens must
        # not.
        hide_parameters=True,
        **options,
    )
    sessions.limit_statements(engine, STATEMENT_TIMEOUT)
    return engine


def is_writable(role: object) -> bool:
    """Return whether a server accepts writes.

    :param role: what one of ``ROLE_QUERIES`` returned: a number or a word,
        depending on the database and its version
    """
    return str(role).lower() in ("0", "off")


def _connection_check(
    engine: Engine, conf: cfg.ConfigOpts
) -> ConnectionCheck | None:
    """Return how to find out whether a connection is the right one."""
    if engine.dialect.name == "sqlite":
        return _file_check(engine, database_url(conf).database or "")
    query = ROLE_QUERIES.get(engine.dialect.name)
    if query is None:
        return None
    return functools.partial(_leads_to_writable, query)


def _file_check(engine: Engine, path: str) -> ConnectionCheck:
    """Return whether a connection has opened the file that is there now.

    SQLite would go on reading one that was replaced, by a backup for example.
    """

    def identify() -> tuple[int, int] | None:
        try:
            found = Path(path).stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def opened(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["file"] = identify()

    sa.event.listen(engine, "connect", opened)
    return lambda _, record: record.info["file"] == identify()


def _leads_to_writable(
    role_query: str, connection: DBAPIConnection, _record: object
) -> bool:
    try:
        cursor = connection.cursor()
        try:
            cursor.execute(role_query)
            row = cursor.fetchone()
        finally:
            cursor.close()
    except Exception:  # noqa: BLE001 (each driver has its own errors)
        return False
    return row is not None and is_writable(row[0])
