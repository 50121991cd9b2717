# SPDX-License-Identifier: Apache-2.0
"""Generate millions of console auth tokens inside the database.

Their hashes are as random as real ones.  Indexes and keys that would slow down
the bulk insert are dropped first and recreated afterwards, so that the table
ends up as the migrations create it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.schema import AddConstraint, CreateIndex

from console_api.db import tables

#: The tokens belong to the first servers, as many as this.
SERVERS = 1_000

_COLUMNS = "token_hash, server_id, console_type, host, port, expires_at"
_REST = "'novnc', '192.0.2.10', 5900, :expires_at + n % 600"
_TAIL = "-0000-4000-8000-000000000000"
_SCRAMBLED = f"(n % {SERVERS} * 2654435761 % 4294967296)"

# The server's UUID equals `stage.server_id(n % SERVERS)`.
_SELECT = {
    "sqlite": (
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL"
        " SELECT n + 1 FROM s WHERE n < :count) "
        "SELECT lower(hex(randomblob(32))),"
        f" printf('%08x{_TAIL}', {_SCRAMBLED}), {_REST} FROM s"
    ),
    "mysql": (
        "SELECT SHA2(CONCAT(:expires_at, n), 256),"
        f" CONCAT(LPAD(LOWER(HEX({_SCRAMBLED})), 8, '0'), '{_TAIL}'), {_REST}"
        " FROM (SELECT seq AS n FROM seq_1_to_{count}) AS s"
    ),
    "postgresql": (
        "SELECT encode(sha256(convert_to(CAST(:expires_at AS text) || '-'"
        " || n, 'UTF8')), 'hex'),"
        f" lpad(to_hex({_SCRAMBLED}), 8, '0') || '{_TAIL}', {_REST}"
        " FROM generate_series(1, CAST(:count AS bigint)) AS s(n)"
    ),
}


def add_tokens(engine: sa.Engine, count: int, expires_at: int) -> None:
    """Fill the empty table of tokens.

    :param expires_at: when the first of them expires, as a Unix timestamp;
        the others expire within the following ten minutes
    """
    dialect = engine.dialect.name
    select = _SELECT[dialect].replace("{count}", str(count))
    values = {"expires_at": expires_at, "count": count}
    if dialect == "mysql":
        values.pop("count")
    statement = sa.text(
        f"INSERT INTO console_auth_tokens ({_COLUMNS}) {select}"
    )
    with _bulk_insert(engine) as connection:
        connection.execute(statement, values)
    if dialect == "postgresql":
        vacuum(engine)


def vacuum(engine: sa.Engine) -> None:
    """Do what PostgreSQL's autovacuum would do eventually."""
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    with autocommit.connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE console_auth_tokens")


@contextmanager
def _bulk_insert(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.begin() as connection:
        if engine.dialect.name == "mysql":
            # InnoDB then sorts the rows and builds each index at once.
            _execute(connection, "SET unique_checks=0, foreign_key_checks=0")
            yield connection
            _execute(connection, "SET unique_checks=1, foreign_key_checks=1")
        elif engine.dialect.name == "postgresql":
            _execute(connection, "SET LOCAL maintenance_work_mem = '512MB'")
            _drop(connection)
            yield connection
            _restore(connection)
        else:
            yield connection


def _drop(connection: sa.Connection) -> None:
    table = tables.console_auth_tokens
    for index in table.indexes:
        _execute(connection, f"DROP INDEX {index.name}")
    for constraint in table.constraints:
        _execute(
            connection,
            f"ALTER TABLE {table.name} DROP CONSTRAINT {constraint.name!s}",
        )


def _restore(connection: sa.Connection) -> None:
    table = tables.console_auth_tokens
    for constraint in table.constraints:
        connection.execute(AddConstraint(constraint))
    for index in table.indexes:
        connection.execute(CreateIndex(index))


def _execute(connection: sa.Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)
