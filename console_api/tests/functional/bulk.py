# SPDX-License-Identifier: Apache-2.0
"""Insert 100,000 rows with statements of the database, within seconds."""

import sqlalchemy as sa

from console_api.db import tables
from console_api.tests.functional.databases import ALWAYS_UP, TestDatabase

SERVERS = 10_000
CONSOLES = 10_000
TOKENS = 100_000

#: The tokens up to this number have expired.
EXPIRED = 1_000

#: The number of consoles of each console host, and its lowest port.
CONSOLES_OF_HOST = 1_000
MIN_PORT = 10_000

# All numbers below 100,000 in ascending order, in portable SQL.
_DIGITS = " UNION ALL ".join(f"SELECT {digit} AS d" for digit in range(10))
_NUMBERS = "SELECT {} AS i FROM {}".format(
    " + ".join(f"{10**place} * n{place}.d" for place in range(5)),
    " CROSS JOIN ".join(
        f"({_DIGITS}) AS n{place}" for place in reversed(range(5))
    ),
)

_PAD = {
    "sqlite": "printf('%0{width}d', {number})",
    "mysql": "LPAD({number}, {width}, '0')",
    "postgresql": "lpad(CAST({number} AS text), {width}, '0')",
}

# The references are valid by construction; checking them takes long.
_UNCHECKED = {
    "sqlite": "PRAGMA foreign_keys=OFF",
    "mysql": "SET foreign_key_checks=0, unique_checks=0",
    "postgresql": "SET session_replication_role=replica",
}


def fill(database: TestDatabase) -> None:
    """Fill an empty schema and update the statistics of the database."""
    hosts = [
        {
            "id": number,
            "host": f"console{number}",
            "console_type": "vnc",
            "public_hostname": f"console{number}.example.org",
            "compute_hosts": "*",
            "min_port": MIN_PORT,
            # One port stays free.
            "max_port": MIN_PORT + CONSOLES_OF_HOST,
            "enabled": True,
            "console_count": CONSOLES_OF_HOST,
            "revision": CONSOLES_OF_HOST,
        }
        for number in range(1, CONSOLES // CONSOLES_OF_HOST + 1)
    ]
    with database.engine.connect() as connection:
        connection.exec_driver_sql(_UNCHECKED[database.name])
        connection.commit()
        connection.execute(tables.console_hosts.insert(), hosts)
        connection.execute(
            tables.console_host_heartbeats.insert(),
            [
                {"console_host_id": host["id"], "last_seen_at": ALWAYS_UP}
                for host in hosts
            ],
        )
        for table, count, columns in _ROWS:
            selected = ", ".join(
                _expression(database.name, value) for value in columns.values()
            )
            connection.execute(
                sa.text(
                    f"INSERT INTO {table} ({', '.join(columns)}) "
                    f"SELECT {selected} FROM ({_NUMBERS}) AS numbers "
                    f"WHERE i < {count}"
                )
            )
        connection.commit()
        # The pool must not reuse a connection without checks.
        connection.invalidate()
    _analyze(database)


def server_id(number: int) -> str:
    """Return the UUID of a server."""
    return f"{number:036}"


def token_hash(number: int) -> str:
    """Return the hash of a token."""
    return f"{number:064}"


_ROWS = (
    (
        "servers",
        SERVERS,
        {
            "uuid": ("i", 36),
            "project_id": "'project'",
            "name": "'name'",
            "instance_name": "'instance'",
            "compute_host": "'compute'",
        },
    ),
    (
        "server_endpoints",
        SERVERS,
        {
            "server_id": ("i", 36),
            "protocol": "'vnc'",
            "host": "'192.0.2.10'",
            "port": "5900",
        },
    ),
    (
        "consoles",
        CONSOLES,
        {
            "server_id": ("i", 36),
            "console_host_id": f"1 + (i - i % {CONSOLES_OF_HOST}) "
            f"/ {CONSOLES_OF_HOST}",
            "console_type": "'vnc'",
            "instance_name": "'instance'",
            "port": f"{MIN_PORT} + i % {CONSOLES_OF_HOST}",
            "encrypted_password": "'encrypted'",
            "created_at": "0",
        },
    ),
    (
        "console_changes",
        CONSOLES,
        {
            "console_host_id": f"1 + (i - i % {CONSOLES_OF_HOST}) "
            f"/ {CONSOLES_OF_HOST}",
            "revision": f"1 + i % {CONSOLES_OF_HOST}",
            "console_id": "1 + i",
        },
    ),
    (
        "console_auth_tokens",
        TOKENS,
        {
            "token_hash": ("i", 64),
            "server_id": (f"i % {SERVERS}", 36),
            "console_type": "'novnc'",
            "host": "'192.0.2.10'",
            "port": "5900",
            "expires_at": "i",
        },
    ),
)


def _expression(name: str, value: str | tuple[str, int]) -> str:
    if isinstance(value, str):
        return value
    number, width = value
    return _PAD[name].format(number=number, width=width)


def _analyze(database: TestDatabase) -> None:
    if database.name == "sqlite":
        # SQLite plans without statistics, as in production.
        return
    statement = {"mysql": "ANALYZE TABLE {}", "postgresql": "ANALYZE {}"}
    for table in tables.metadata.tables:
        database.execute(sa.text(statement[database.name].format(table)))
