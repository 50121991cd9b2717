# SPDX-License-Identifier: Apache-2.0
"""What operators are told about errors of the database."""

import re
from collections.abc import Mapping

from sqlalchemy import exc as sa_exc

from console_api.db.failures import code, driver_error

_CREDENTIALS = (
    "The database server refuses the user or the password of [database] "
    "connection. In this URL, percent-encode special characters of the "
    "password, such as @ as %40, / as %2F and % as %25, and write $ as $$."
)
_NO_DATABASE = (
    "The database server has no database with the name in [database] "
    "connection. Create it, or correct the name."
)
_RIGHTS = (
    "The user of [database] connection lacks a right. Grant it all rights on "
    "the database."
)
_NO_TABLE = (
    "A table is missing. Run: console-api-manage db sync, unless [database] "
    "connection names the wrong database."
)
_FULL = "The disk of the database is full. Free or add space."
_DAMAGED = (
    "The database is damaged, or its file is not a database. Restore it from "
    "a backup."
)
_READ_ONLY = (
    "The database server is read-only. Check that [database] connection leads "
    "to the primary, and not to a standby."
)
_READ_ONLY_FILE = (
    "The database file is read-only. Check that this user may write it and "
    "its folder, and that the file system is not mounted read-only."
)
_NO_FILE = (
    "The database file cannot be opened. Check that it exists, and that this "
    "user may read and write it and its folder."
)
_FAULTY_FILE = (
    "The database file cannot be read or written. Check its disk, and the "
    "log of the system."
)
_CONNECTIONS = (
    "The database server accepts no more connections. Raise its limit, or "
    "lower [database] max_pool_size or the number of threads and workers."
)
_NOT_READY = (
    "The node of the Galera cluster is not synchronized, or not part of the "
    "majority."
)
_LOCKED = "Another session holds a lock for too long."
_POOL = (
    "All connections of a process were in use for too long. Raise [database] "
    "max_overflow, or find out what takes long."
)

_BY_CODE: Mapping[int | str, str] = {
    # MariaDB
    1021: _FULL,
    1034: _DAMAGED,
    1040: _CONNECTIONS,
    1044: _RIGHTS,
    1045: _CREDENTIALS,
    1047: _NOT_READY,
    1049: _NO_DATABASE,
    1114: _FULL,
    1142: _RIGHTS,
    1143: _RIGHTS,
    1146: _NO_TABLE,
    1194: _DAMAGED,
    1195: _DAMAGED,
    1203: _CONNECTIONS,
    1205: _LOCKED,
    1290: _READ_ONLY,
    1698: _CREDENTIALS,
    1792: _READ_ONLY,
    1836: _READ_ONLY,
    # PostgreSQL
    "25006": _READ_ONLY,
    "28000": _CREDENTIALS,
    "28P01": _CREDENTIALS,
    "3D000": _NO_DATABASE,
    "42501": _RIGHTS,
    "42P01": _NO_TABLE,
    "53100": _FULL,
    "53300": _CONNECTIONS,
    "55P03": _LOCKED,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
    # SQLite
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_CANTOPEN": _NO_FILE,
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_FULL": _FULL,
    "SQLITE_IOERR": _FAULTY_FILE,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_READONLY": _READ_ONLY_FILE,
}

# Errors without a code of their own: psycopg2 has none for connections that
# are refused, SQLite has one for many, MariaDB has that of its engine.
_BY_TEXT = (
    (r"password authentication failed|no password supplied", _CREDENTIALS),
    (r'role ".*" does not exist|no pg_hba\.conf entry', _CREDENTIALS),
    (r'database ".*" does not exist', _NO_DATABASE),
    (r"permission denied for ", _RIGHTS),
    (r"too many (clients|connections)", _CONNECTIONS),
    (r"no such table", _NO_TABLE),
    (r"Got error 28 |No space left on device", _FULL),
)


def reason(error: BaseException) -> str:
    """Return why the database is unavailable, and what to do, on one line.

    What the driver reported follows in parentheses.  It never contains a
    password: drivers do not report it, and ``database_url`` refuses URLs in
    which a part of it would be taken for something else.
    """
    if isinstance(error, sa_exc.TimeoutError):
        return _POOL
    reported = _reported(error)
    advice = _BY_CODE.get(code(error) or 0) or next(
        (text for pattern, text in _BY_TEXT if re.search(pattern, reported)),
        None,
    )
    return f"{advice} ({reported})" if advice else reported


def _reported(error: BaseException) -> str:
    """Return what the driver reported: the first line, without a code."""
    cause = driver_error(error)
    text = str(cause.args[1] if code(error) in cause.args[:1] else cause)
    return next(iter(text.strip().splitlines()), "") or type(cause).__name__
