# SPDX-License-Identifier: Apache-2.0
"""Statements on console hosts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import sqlalchemy as sa
from oslo_db import exception as db_exc
from sqlalchemy.engine import Connection

from console_api import errors
from console_api.db import clock, tables
from console_api.db.engine import Database, retried
from console_api.db.rows import columns_of

_hosts = tables.console_hosts.c
_heartbeats = tables.console_host_heartbeats

# The columns of ``ConsoleHostRow``.
_SELECT = sa.select(
    tables.console_hosts,
    _heartbeats.c.version,
    _heartbeats.c.driver,
    _heartbeats.c.trouble,
    sa.func.coalesce(_heartbeats.c.served_count, 0).label("served_count"),
    sa.func.coalesce(_heartbeats.c.failed_count, 0).label("failed_count"),
    _heartbeats.c.last_seen_at,
    clock.now(),
).outerjoin(_heartbeats, _heartbeats.c.console_host_id == _hosts.id)
_LIST = _SELECT.order_by(_hosts.host, _hosts.console_type)
_GET = _SELECT.where(
    _hosts.host == sa.bindparam("host"),
    _hosts.console_type == sa.bindparam("console_type"),
)

_PORTS = frozenset({"min_port", "max_port", "multiplex_port"})


class ConsoleHostChanges(TypedDict, total=False):
    """Columns to change; the ports change together, see ``NewConsoleHost``."""

    public_hostname: str
    compute_hosts: Sequence[str]
    min_port: int | None
    max_port: int | None
    multiplex_port: int | None
    enabled: bool


@dataclass(frozen=True, slots=True)
class NewConsoleHost:
    """A console host to store, for one console type.

    ``compute_hosts`` are shell patterns.  Either ``multiplex_port``, which
    all consoles share, is None, or both ends of the range of ports are.
    """

    host: str
    console_type: str
    public_hostname: str
    compute_hosts: tuple[str, ...]
    min_port: int | None
    max_port: int | None
    multiplex_port: int | None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class ConsoleHostRow:
    """A console host that is stored; see ``NewConsoleHost``.

    ``revision`` counts the changes of its consoles.  What the agent reported
    is None or zero before its first report; see ``heartbeats.AgentReport``.
    ``last_seen_at`` and ``read_at``, when this was read, are times at the
    database server.
    """

    id: int
    host: str
    console_type: str
    public_hostname: str
    compute_hosts: tuple[str, ...]
    min_port: int | None
    max_port: int | None
    multiplex_port: int | None
    enabled: bool
    console_count: int
    revision: int
    version: str | None
    driver: str | None
    trouble: str | None
    served_count: int
    failed_count: int
    last_seen_at: int | None
    read_at: int


def patterns(stored: str) -> tuple[str, ...]:
    """Return the patterns that the column ``compute_hosts`` contains."""
    return tuple(stored.split())


def list_all(database: Database) -> Sequence[ConsoleHostRow]:
    """Return all console hosts by name and console type."""
    return database.read(_LIST, _row)


def get(
    database: Database, host: str, console_type: str
) -> ConsoleHostRow | None:
    """Return a console host, None if it is not stored."""
    rows = database.read(
        _GET, _row, {"host": host, "console_type": console_type}
    )
    return rows[0] if rows else None


def _row(
    id_: int,
    host: str,
    console_type: str,
    public_hostname: str,
    compute_hosts: str,
    *others: Any,
) -> ConsoleHostRow:
    return ConsoleHostRow(
        id_,
        host,
        console_type,
        public_hostname,
        patterns(compute_hosts),
        *others,
    )


@retried
def insert(database: Database, host: NewConsoleHost) -> None:
    """Store a new console host, without consoles.

    :raises AlreadyExists: the host already offers this console type
    """
    try:
        with database.transaction() as connection:
            inserted = connection.execute(
                tables.console_hosts.insert(),
                {
                    **columns_of(host),
                    "compute_hosts": " ".join(host.compute_hosts),
                    "console_count": 0,
                },
            )
            connection.execute(
                _heartbeats.insert(),
                {"console_host_id": inserted.inserted_primary_key[0]},  # type: ignore[index]
            )
    except db_exc.DBDuplicateEntry as error:
        raise errors.AlreadyExists(
            f"Console host {host.host} with console type "
            f"{host.console_type} already exists."
        ) from error


def register(database: Database, host: NewConsoleHost) -> int:
    """Store a console host, or update it to what its agent reports.

    Whether a stored console host is enabled remains as the operator set it.

    :returns: its id
    :raises Conflict: consoles have ports outside of the new ones
    :raises ConsoleHostNotFound: it was deleted concurrently
    """
    try:
        insert(database, host)
    except errors.AlreadyExists:
        update(
            database,
            host.host,
            host.console_type,
            {
                "public_hostname": host.public_hostname,
                "compute_hosts": host.compute_hosts,
                "min_port": host.min_port,
                "max_port": host.max_port,
                "multiplex_port": host.multiplex_port,
            },
        )
    row = get(database, host.host, host.console_type)
    if row is None:
        raise errors.ConsoleHostNotFound(host.host, host.console_type)
    return row.id


@retried
def update(
    database: Database,
    host: str,
    console_type: str,
    changes: ConsoleHostChanges,
) -> bool:
    """Change a console host.

    :returns: whether it exists
    :raises Conflict: consoles have ports outside of the new ones
    """
    columns: dict[str, object] = {"host": host, **changes}
    if "compute_hosts" in changes:
        columns["compute_hosts"] = " ".join(changes["compute_hosts"])
    table = tables.console_hosts
    with database.transaction() as connection:
        if not connection.execute(
            table.update()
            .where(_hosts.host == host, _hosts.console_type == console_type)
            .values(columns)
        ).rowcount:
            return False
        if not _PORTS.isdisjoint(changes) and _has_misplaced(
            connection, host, console_type
        ):
            raise errors.Conflict(
                f"Console host {host} has {console_type} consoles on ports "
                "that this change would remove. Delete those consoles first."
            )
    return True


def _has_misplaced(
    connection: Connection, host: str, console_type: str
) -> bool:
    """Return whether a console has a port that its host does not have."""
    row = connection.execute(
        sa.select(tables.console_hosts).where(
            _hosts.host == host, _hosts.console_type == console_type
        )
    ).one()
    ports = tables.consoles.c.port
    lowest, highest = connection.execute(
        sa.select(sa.func.min(ports), sa.func.max(ports)).where(
            tables.consoles.c.console_host_id == row.id
        )
    ).one()
    if row.multiplex_port is not None:
        return bool(lowest is not None)
    if lowest is None:
        # Those that it has, if any, share a port.
        return bool(row.console_count)
    return bool(lowest < row.min_port or highest > row.max_port)
