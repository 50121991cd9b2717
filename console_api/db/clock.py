# SPDX-License-Identifier: Apache-2.0
"""The clock of the database server, which all machines have in common."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from console_api.db.engine import Database


class now(FunctionElement[int]):  # noqa: N801 (named like a function of SQL)
    """The time at the server, in seconds since the epoch."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(now, "mysql")
@compiles(now, "mariadb")
def _mysql(*_: Any, **__: Any) -> str:
    return "UNIX_TIMESTAMP()"


@compiles(now, "postgresql")
def _postgresql(*_: Any, **__: Any) -> str:
    return "CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp())) AS BIGINT)"


@compiles(now, "sqlite")
def _sqlite(*_: Any, **__: Any) -> str:
    return "CAST(strftime('%s', 'now') AS INTEGER)"


_NOW = sa.select(now())


def read(database: Database) -> int:
    """Return the time at the server, in seconds since the epoch.

    :raises DatabaseUnavailable: the database does not answer
    """
    [seconds] = database.read(_NOW, int)
    return seconds
