# SPDX-License-Identifier: Apache-2.0
"""What the errors of database drivers mean."""

import sqlite3

from oslo_db import exception as db_exc
from sqlalchemy import exc as sa_exc

# Errors of a statement that was refused, so that nothing is committed, by a
# server that is read-only: a former primary, a standby.
_READ_ONLY = frozenset(
    {
        1290,  # MariaDB: --read-only
        1792,  # MariaDB: a read-only transaction
        1836,  # MariaDB: read-only mode; MaxScale without a primary
        "25006",  # PostgreSQL: read_only_sql_transaction
    }
)

# Galera: the node is not part of the cluster, or not synchronized.
_NOT_READY = 1047

# Errors of a server, or of a proxy in front of it, that ends the connection
# or takes no statements for the time being.
_CLOSING = frozenset(
    {
        _NOT_READY,
        1053,  # MariaDB: shutdown
        1077,  # MariaDB: normal shutdown
        1079,  # MariaDB: shutdown complete
        1152,  # MariaDB: aborted connection
        1158,  # MariaDB: network errors, up to 1161
        1159,
        1160,
        1161,
        1184,  # MariaDB: aborted new connection
        1927,  # MariaDB, MaxScale: connection killed
        3032,  # MySQL: offline mode
        3169,  # MySQL: session killed
        4031,  # MySQL: disconnected because of inactivity
        "25P03",  # PostgreSQL: idle_in_transaction_session_timeout
        "57P01",  # PostgreSQL: admin_shutdown
        "57P02",  # PostgreSQL: crash_shutdown
        "57P03",  # PostgreSQL: cannot_connect_now
        "57P04",  # PostgreSQL: database_dropped
        "57P05",  # PostgreSQL: idle_session_timeout
        # The file may have been replaced since it was opened.
        "SQLITE_CORRUPT",
        "SQLITE_IOERR",
        "SQLITE_NOTADB",
        "SQLITE_READONLY",
    }
)

# Errors of a transaction that the server rolled back because of another one:
# the same server accepts it when it is repeated.
_CONFLICTS = frozenset(
    {
        1020,  # MariaDB: the row has changed since it was read
        1213,  # MariaDB: deadlock; Galera: certification failure
        "40001",  # PostgreSQL: serialization_failure
        "40P01",  # PostgreSQL: deadlock_detected
    }
)

# Errors of a statement that waited too long for a lock.
_LOCK_TIMEOUTS = frozenset(
    {
        1205,  # MariaDB: lock wait timeout
        "55P03",  # PostgreSQL: lock_not_available
        "SQLITE_BUSY",
    }
)

# Errors of statements that are right, but not for this database.
_MISCONFIGURED = frozenset(
    {
        1142,  # MariaDB: missing right on a table
        1143,  # MariaDB: missing right on a column
        1146,  # MariaDB: missing table
        "42501",  # PostgreSQL: insufficient_privilege
        "42P01",  # PostgreSQL: undefined_table
        "XX001",  # PostgreSQL: data_corrupted
        "XX002",  # PostgreSQL: index_corrupted
    }
)

# Errors of an unavailable, overloaded or unresponsive database.
_UNAVAILABLE = (
    db_exc.DBConnectionError,
    db_exc.DBDeadlock,
    db_exc.DBNonExistentDatabase,
    db_exc.DBNonExistentTable,
    sa_exc.OperationalError,
    sa_exc.InterfaceError,
    sa_exc.TimeoutError,
)


def driver_error(error: BaseException) -> BaseException:
    """Return the error of the driver that an error of a library wraps."""
    if isinstance(error, db_exc.DBError) and error.inner_exception:
        error = error.inner_exception
    if isinstance(error, sa_exc.DBAPIError) and error.orig:
        error = error.orig
    return error


def code(error: BaseException) -> int | str | None:
    """Return the code of an error.

    It is the number of an error of MariaDB, the SQLSTATE of PostgreSQL or the
    name of the primary result code of SQLite.  None stands for an error of
    the driver itself.
    """
    error = driver_error(error)
    state: str | None = getattr(error, "pgcode", None)
    if state:
        return state
    if isinstance(error, sqlite3.Error):
        name: str = getattr(error, "sqlite_errorname", "")
        return "_".join(name.split("_")[:2]) or None
    number = error.args[0] if error.args else None
    return number if isinstance(number, int) else None


def is_read_only(error: BaseException) -> bool:
    """Return whether the server refused a write because it is read-only."""
    return code(error) in _READ_ONLY


def is_refusal(error: BaseException) -> bool:
    """Return whether the server is alive, but does not do its job."""
    return is_read_only(error) or code(error) == _NOT_READY


def requires_new_connection(error: BaseException) -> bool:
    """Return whether a connection is of no more use after an error.

    A new one may be to another server.  SQLAlchemy recognizes most
    connections that have died, but not those to a server that is read-only or
    shutting down.
    """
    found = code(error)
    return (
        found in _READ_ONLY
        or found in _CLOSING
        # PostgreSQL's class of connection exceptions; PgBouncer.
        or (isinstance(found, str) and found.startswith("08"))
    )


def is_conflict(error: BaseException) -> bool:
    """Return whether the server rolled back because of another transaction.

    Not so for a lock wait timeout, after which the lock is usually still
    held, although oslo.db takes it for a deadlock.
    """
    return code(error) in _CONFLICTS


def is_lock_timeout(error: BaseException) -> bool:
    """Return whether a statement waited too long for a lock."""
    return code(error) in _LOCK_TIMEOUTS


def is_unavailability(error: BaseException) -> bool:
    """Return whether the database is unavailable, not the statement wrong.

    It may be overloaded or misconfigured, too.
    """
    return (
        isinstance(error, _UNAVAILABLE)
        or is_misconfiguration(error)
        or is_conflict(error)
    )


def is_misconfiguration(error: BaseException) -> bool:
    """Return whether an operator has to change the database itself."""
    return code(error) in _MISCONFIGURED
