# SPDX-License-Identifier: Apache-2.0
"""Connections: reads in one round trip, writes in one transaction."""

import contextlib
import datetime as dt
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import api as db_api
from oslo_db import exception as db_exc
from sqlalchemy import exc as sa_exc
from sqlalchemy.engine import Connection

from console_api import errors
from console_api.bulkhead import acquire_slot
from console_api.db import failures, prepared, reasons
from console_api.db.pools import PoolGuard, create_reader, create_writer
from console_api.db.url import missing_driver

P = ParamSpec("P")
T = TypeVar("T")


class ConnectionLost(Exception):
    """A connection became useless before its transaction was committed."""


@dataclass(frozen=True, slots=True)
class WriteFailure:
    """When a write failed, in UTC, and why; for operators, on one line."""

    at: dt.datetime
    reason: str


# Errors of libraries, some of which mean that the database is unavailable.
_DATABASE_ERRORS = (db_exc.DBError, sa_exc.SQLAlchemyError)

# More than there are constant statements.
_MAX_PREPARED = 100

# Maximum number of retries, after the first attempt, of a write that failed
# because of a deadlock.
_MAX_WRITE_RETRIES = 5

# Seconds to wait before each retry on a new connection.
_RECONNECT_PAUSES = (0, 0.1)

# Seconds after which there are no more such retries.
_MAX_RECONNECT_TIME = 2.0


class Database:
    """The one way to the database of a process; safe for threads.

    Every method raises ``errors.DatabaseUnavailable`` when the database does
    not answer.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        """Prepare both engines; nothing is connected yet."""
        try:
            self._guard = PoolGuard()
            self._reader = create_reader(conf, self._guard)
            self._writer = create_writer(conf, self._guard)
        except ImportError as error:
            raise missing_driver(error) from error
        #: The last write, if it failed; None after one that succeeded.
        self.write_failure: WriteFailure | None = None
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
        that notices this discards both pools and is repeated on a new
        connection.

        :param make: called with the columns of each row
        :raises DatabaseUnavailable: the database does not answer
        """
        try:
            return _on_new_connections(
                lambda: self._fetch(statement, make, parameters)
            )
        except (ConnectionLost, *_DATABASE_ERRORS) as error:
            _raise_if_unavailable(error)
            raise

    def _fetch(
        self,
        statement: sa.Select[Any],
        make: Callable[..., T],
        parameters: Mapping[str, object] | None,
    ) -> list[T]:
        compiled = self._prepare(statement)
        rows: Sequence[Sequence[Any]]
        try:
            if compiled is not None:
                rows = compiled.fetch(self._reader, parameters)
            else:
                with self._reader.connect() as connection:
                    rows = connection.execute(statement, parameters).all()
        except sa_exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise
            self._guard.discard(error)
            raise ConnectionLost from error
        return [make(*row) for row in rows]

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Return a connection with a transaction.

        Lock before reading: later reads then see what the lock protects.

        :raises Overloaded: too many other requests are waiting
        :raises ConnectionLost: the connection became useless, and nothing was
            committed
        :raises DatabaseUnavailable: the connection died during the commit, so
            the outcome is unknown
        """
        # A lock may be held for long.
        acquire_slot()
        is_committing = False
        try:
            with self._writer.connect() as connection, connection.begin():
                yield connection
                is_committing = True
            self.write_failure = None
        except _DATABASE_ERRORS as error:
            self._record_failure(error)
            if not isinstance(error, db_exc.DBConnectionError):
                raise
            if is_committing and not failures.is_read_only(error):
                _raise_if_unavailable(error)
            raise ConnectionLost from error

    def _record_failure(self, error: Exception) -> None:
        """Remember a failed write, unless another one prevented it."""
        if failures.is_unavailability(error) and not (
            failures.is_conflict(error) or failures.is_lock_timeout(error)
        ):
            self.write_failure = WriteFailure(
                dt.datetime.now(dt.UTC), reasons.reason(error)
            )

    def close(self) -> None:
        """Close all connections."""
        self._reader.dispose()
        self._writer.dispose()


def retried(function: Callable[P, T]) -> Callable[P, T]:
    """Retry a write that was rolled back, a limited number of times.

    After a deadlock, it is repeated on the same server.  A pooled connection
    may have died since it was last used, or its server may have become
    read-only.  The write that notices this discards both pools and is
    repeated on a new connection.

    A write whose connection dies during the commit may be stored, and is not
    repeated.

    :raises DatabaseBusy: the write waited too long for a lock; it is not
        repeated, since the lock is usually still held
    :raises DatabaseUnavailable: all attempts failed, or the database is
        unavailable or read-only
    """
    repeated: Callable[P, T] = db_api.wrap_db_retry(
        max_retries=_MAX_WRITE_RETRIES,
        retry_interval=0.05,
        max_retry_interval=1,
        exception_checker=failures.is_conflict,
        jitter=True,
    )(function)

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return _on_new_connections(lambda: repeated(*args, **kwargs))
        except (ConnectionLost, *_DATABASE_ERRORS) as error:
            _raise_if_unavailable(error)
            raise

    return wrapper


def _on_new_connections(attempt: Callable[[], T]) -> T:
    """Repeat an attempt whose connection is lost, within a limited time.

    :raises ConnectionLost: it was lost each time
    """
    started_at = time.monotonic()
    for pause in _RECONNECT_PAUSES:
        try:
            return attempt()
        except ConnectionLost:
            if time.monotonic() - started_at > _MAX_RECONNECT_TIME:
                raise
        time.sleep(pause)
    return attempt()


def _raise_if_unavailable(error: Exception) -> None:
    """Raise an error for callers, whose cause is what the driver reported.

    :raises DatabaseBusy: a statement waited too long for a lock
    :raises DatabaseUnavailable: the database is unavailable otherwise
    """
    cause: BaseException = error
    if isinstance(error, ConnectionLost) and error.__cause__:
        cause = error.__cause__
    if failures.is_lock_timeout(cause):
        raise errors.DatabaseBusy(reasons.reason(cause)) from cause
    if isinstance(error, ConnectionLost) or failures.is_unavailability(cause):
        raise errors.DatabaseUnavailable(reasons.reason(cause)) from cause
