# SPDX-License-Identifier: Apache-2.0
"""Statements on the changes of consoles, which agents follow."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console_api.db import console_expiry, tables
from console_api.db.engine import Database, retried

_changes = tables.console_changes.c
_consoles = tables.consoles.c
_hosts = tables.console_hosts.c
_servers = tables.servers.c


@dataclass(frozen=True, slots=True)
class AssignedConsole:
    """A console as the agent of its console host needs it.

    ``port`` is None on a multiplexed console host, ``compute_host`` if the
    server has not been scheduled to one, and ``expires_in``, the remaining
    lifetime in seconds, if the console never expires.
    """

    id: int
    server_id: str
    instance_name: str
    port: int | None
    encrypted_password: str = field(repr=False)
    compute_host: str | None
    expires_in: int | None


@dataclass(frozen=True, slots=True)
class ConsoleChange:
    """A change of a console by one revision of its console host.

    ``console`` is the console as it is now, None if it no longer exists, has
    expired, or has moved to another console host.
    """

    revision: int
    console_id: int
    console: AssignedConsole | None


# The columns of AssignedConsole.
_CONSOLE = (
    _consoles.id,
    _consoles.server_id,
    _consoles.instance_name,
    _consoles.port,
    _consoles.encrypted_password,
    _servers.compute_host,
    console_expiry.EXPIRES_IN,
)

_ALL = (
    sa.select(*_CONSOLE)
    .select_from(
        tables.consoles.join(
            tables.servers, _servers.uuid == _consoles.server_id
        )
    )
    .where(
        _consoles.console_host_id == sa.bindparam("host_id"),
        ~console_expiry.IS_EXPIRED,
    )
    .order_by(_consoles.id)
)

# Consoles that no longer exist, have expired, or have moved to another console
# host are nulls.
_SINCE = (
    sa.select(_changes.revision, _changes.console_id, *_CONSOLE)
    .select_from(
        tables.console_changes.outerjoin(
            tables.consoles,
            sa.and_(
                _consoles.id == _changes.console_id,
                _consoles.console_host_id == _changes.console_host_id,
                ~console_expiry.IS_EXPIRED,
            ),
        ).outerjoin(tables.servers, _servers.uuid == _consoles.server_id)
    )
    .where(
        _changes.console_host_id == sa.bindparam("host_id"),
        _changes.revision > sa.bindparam("revision"),
    )
    .order_by(_changes.revision)
    .limit(sa.bindparam("limit"))
)

_RECORD = tables.console_changes.insert().from_select(
    ["console_host_id", "revision", "console_id"],
    sa.select(
        _hosts.id,
        _hosts.revision,
        sa.bindparam("console_id", type_=sa.Integer),
    ).where(_hosts.id == sa.bindparam("host_id")),
)


def record(connection: Connection, host_id: int, console_id: int) -> None:
    """Record which console the current revision of a host changed.

    The caller has raised the revision and therefore holds the row lock.
    """
    connection.execute(_RECORD, {"host_id": host_id, "console_id": console_id})


def list_all(database: Database, host_id: int) -> list[AssignedConsole]:
    """Return all consoles of a console host, by ID.

    :raises DatabaseUnavailable: the database does not answer
    """
    return database.read(_ALL, AssignedConsole, {"host_id": host_id})


def list_since(
    database: Database, host_id: int, revision: int, limit: int
) -> list[ConsoleChange]:
    """Return the changes after a revision, by revision.

    The cost depends on the number of changes only.

    :param limit: the maximum number of changes returned
    :raises DatabaseUnavailable: the database does not answer
    """
    return database.read(
        _SINCE,
        _change,
        {"host_id": host_id, "revision": revision, "limit": limit},
    )


def _change(
    revision: int, console_id: int, id_: int | None, *columns: Any
) -> ConsoleChange:
    console = None if id_ is None else AssignedConsole(id_, *columns)
    return ConsoleChange(revision, console_id, console)


@retried
def prune(database: Database, host_id: int, revision: int) -> None:
    """Delete the changes up to a revision, which the agent has read."""
    with database.transaction() as connection:
        connection.execute(
            tables.console_changes.delete().where(
                _changes.console_host_id == host_id,
                _changes.revision <= revision,
            )
        )
