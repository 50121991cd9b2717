# SPDX-License-Identifier: Apache-2.0
"""Connections: reads in one round trip, writes in one transaction."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import api as db_api
from oslo_db import exception as db_exc
from oslo_db.sqlalchemy import exc_filters
from sqlalchemy import exc as sa_exc
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.engine.interfaces import DBAPIConnection

from console_api import errors
from console_api.db import prepared

P = ParamSpec("P")
T = TypeVar("T")

# Seconds that a connection may take to be made, and a statement to end.
CONNECT_TIMEOUT = 10
STATEMENT_TIMEOUT = 30

_TIME_LIMITS: Mapping[str, Mapping[str, str]] = {
    "mysql": {
        "connect_timeout": str(CONNECT_TIMEOUT),
        "read_timeout": str(STATEMENT_TIMEOUT),
        "write_timeout": str(STATEMENT_TIMEOUT),
        "charset": "utf8mb4",
    },
    "postgresql": {
        "connect_timeout": str(CONNECT_TIMEOUT),
        "tcp_user_timeout": str(STATEMENT_TIMEOUT * 1000),
        # A host that disappears during a wait is detected after the same time.
        "keepalives_idle": str(STATEMENT_TIMEOUT // 2),
        "keepalives_interval": str(STATEMENT_TIMEOUT // 6),
        "keepalives_count": "3",
        "options": f"-c statement_timeout={STATEMENT_TIMEOUT * 1000}",
    },
    # Time that a writer waits for the lock.
    "sqlite": {"timeout": str(STATEMENT_TIMEOUT)},
}

_IN_MEMORY = (None, "", ":memory:")


class ConnectionLost(Exception):
    """A connection died before its transaction was committed."""


# Errors of an unavailable, overloaded or unresponsive database.
_UNAVAILABLE = (
    ConnectionLost,
    db_exc.DBConnectionError,
    db_exc.DBDeadlock,
    db_exc.DBNonExistentDatabase,
    sa_exc.OperationalError,
    sa_exc.InterfaceError,
    sa_exc.TimeoutError,
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

# More than there are constant statements.
_MAX_PREPARED = 100

# Maximum number of retries, after the first attempt, of a write that failed
# because of a deadlock.
_MAX_WRITE_RETRIES = 5


def database_url(conf: cfg.ConfigOpts) -> URL:
    """Return the database's URL, with time limits where it has none.

    :raises ConfigurationError: it is missing or malformed
    """
    text = conf.database.connection
    if not text:
        raise errors.ConfigurationError(
            "[database] connection is not set. Give the URL of the database, "
            "for example sqlite:////var/lib/console_api/console_api.sqlite "
            "or mysql+pymysql://USER:PASSWORD@HOST/console_api"
        )
    try:
        url = make_url(text)
        url.get_dialect()
    except (
        sa_exc.ArgumentError,
        sa_exc.NoSuchModuleError,
        ValueError,
    ):
        # The text of the error may hold the URL, and so the password.
        raise errors.ConfigurationError(
            "[database] connection is not a database URL, or of a database "
            "that SQLAlchemy has no dialect for. Write it like "
            "mysql+pymysql://USER:PASSWORD@HOST/console_api"
        ) from None
    if url.get_backend_name() == "sqlite" and url.database in _IN_MEMORY:
        raise errors.ConfigurationError(
            "[database] connection: an SQLite database has to be in a file, "
            "since each connection would have one of its own in memory."
        )
    limits = _TIME_LIMITS.get(url.get_backend_name(), {})
    return url.update_query_dict(
        {key: limits[key] for key in limits.keys() - url.query.keys()}
    )


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite database in a file."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def without_creating(url: URL) -> URL:
    """Return a URL with which SQLite does not create a missing file."""
    if url.get_backend_name() != "sqlite" or "uri" in url.query:
        return url
    path = quote(str(Path(url.database or "").absolute()))
    return url.set(database=f"file:{path}").update_query_dict(
        {"mode": "rw", "uri": "true"}
    )


def missing_driver(error: ImportError) -> errors.ConfigurationError:
    """Return an error that names the missing driver."""
    return errors.ConfigurationError(
        "The driver of the database that [database] connection names is not "
        f"installed: {error}. Install console-api[mysql] for mysql+pymysql:// "
        "or console-api[postgresql] for postgresql+psycopg2://"
    )


def create_reader(conf: cfg.ConfigOpts) -> Engine:
    """Create the engine for reads: autocommit, no ping, no rollback.

    A read is one statement, so it needs no transaction, and a connection
    that has died is noticed by the read itself (``Database.read``).  Each of
    these would cost a round trip of its own.
    """
    return _create(conf, isolation_level="AUTOCOMMIT", **_SKIP_ROLLBACK)


def create_writer(conf: cfg.ConfigOpts) -> Engine:
    """Create the engine for transactions, whose errors are those of oslo.db.

    Each transaction ends with a commit or a rollback of its own.
    """
    engine = _create(conf)
    exc_filters.register_engine(engine)
    sa.event.listen(
        engine,
        "connect",
        functools.partial(
            _prepare_writes, engine.dialect.name, conf.database.mysql_sql_mode
        ),
    )
    return engine


def _create(conf: cfg.ConfigOpts, **options: Any) -> Engine:
    return sa.create_engine(
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


def _prepare_writes(
    dialect: str,
    mysql_sql_mode: str | None,
    connection: DBAPIConnection,
    _record: object,
) -> None:
    """Have the database enforce what the tables require."""
    cursor = connection.cursor()
    if dialect == "sqlite":
        cursor.execute("PRAGMA foreign_keys = ON")
    elif dialect == "mysql" and mysql_sql_mode is not None:
        cursor.execute("SET SESSION sql_mode = %s", (mysql_sql_mode,))
    cursor.close()


class Database:
    """The one way to the database of a process; safe for threads.

    Every method raises ``errors.DatabaseUnavailable`` when the database does
    not answer.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Prepare both engines; nothing is connected yet."""
        try:
            self._reader = create_reader(conf)
            self._writer = create_writer(conf)
        except ImportError as error:
            raise missing_driver(error) from error
        self._prepare = functools.lru_cache(_MAX_PREPARED)(
            functools.partial(prepared.prepare, self._reader.dialect)
        )

    def read(
        self,
        statement: sa.Select[Any],
        make: Callable[..., T],
        parameters: Mapping[str, object] | None = None,
    ) -> list[T]:
        """Run one SELECT in one round trip, and return an object per row.

        A pooled connection may have died since it was last used.  The read
        that notices this discards the pool and is repeated once, on a new
        connection.

        :param make: called with the columns of each row
        :raises DatabaseUnavailable: the database does not answer
        """
        try:
            try:
                return self._fetch(statement, make, parameters)
            except sa_exc.DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                return self._fetch(statement, make, parameters)
        except _UNAVAILABLE as error:
            _raise_unavailable(error)

    def _fetch(
        self,
        statement: sa.Select[Any],
        make: Callable[..., T],
        parameters: Mapping[str, object] | None,
    ) -> list[T]:
        compiled = self._prepare(statement)
        if compiled is not None:
            return [
                make(*row) for row in compiled.fetch(self._reader, parameters)
            ]
        with self._reader.connect() as connection:
            rows = connection.execute(statement, parameters).all()
        return [make(*row) for row in rows]

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Return a connection with a transaction.

        Begin it with the write that acquires the lock: SQLite cannot upgrade a
        read lock, and later reads then see what the lock protects.

        :raises ConnectionLost: a statement found the connection dead, so
            nothing was committed
        :raises DatabaseUnavailable: the connection died during the commit, so
            the outcome is unknown
        """
        is_committing = False
        with self._writer.connect() as connection:
            try:
                with connection.begin():
                    yield connection
                    is_committing = True
            except db_exc.DBConnectionError as error:
                if is_committing:
                    _raise_unavailable(error)
                raise ConnectionLost from error

    def close(self) -> None:
        """Close all connections."""
        self._reader.dispose()
        self._writer.dispose()


def retried(function: Callable[P, T]) -> Callable[P, T]:
    """Retry a write after a deadlock, a limited number of times.

    A pooled connection may have died since it was last used.  The write that
    notices this discards the pool and is repeated once, on a new connection.

    For oslo.db, a lock wait timeout of MySQL is a deadlock as well.

    :raises DatabaseUnavailable: all attempts failed, or the database is
        unavailable or read-only
    """
    repeated = db_api.wrap_db_retry(
        max_retries=_MAX_WRITE_RETRIES,
        retry_interval=0.05,
        max_retry_interval=1,
        retry_on_deadlock=True,
    )(function)

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            try:
                result: T = repeated(*args, **kwargs)
            except ConnectionLost:
                result = repeated(*args, **kwargs)
        except _UNAVAILABLE as error:
            _raise_unavailable(error)
        except db_exc.DBError as error:
            # PostgreSQL is read-only, for example a standby. MariaDB raises
            # one of the other errors in this case.
            if isinstance(error.inner_exception, sa_exc.InternalError):
                _raise_unavailable(error)
            raise
        return result

    return wrapper


def _raise_unavailable(error: Exception) -> NoReturn:
    raise errors.DatabaseUnavailable from error
