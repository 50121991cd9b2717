# SPDX-License-Identifier: Apache-2.0
"""Statements on the changes of consoles, which agents follow."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console_api.db import tables
from console_api.db.engine import Database, retried

_changes = tables.console_changes.c
_consoles = tables.consoles.c
_hosts = tables.console_hosts.c
_servers = tables.servers.c

# What an agent has to know of a console.
_CONSOLE = (
    _consoles.id,
    _consoles.server_id,
    _consoles.instance_name,
    _consoles.port,
    _consoles.encrypted_password,
    _servers.compute_host,
)

_ALL = (
    sa.select(*_CONSOLE)
    .select_from(
        tables.consoles.join(
            tables.servers, _servers.uuid == _consoles.server_id
        )
    )
    .where(_consoles.console_host_id == sa.bindparam("host_id"))
    .order_by(_consoles.id)
)

# Consoles that are gone, or on another console host by now, are nulls.
_SINCE = (
    sa.select(_changes.revision, _changes.console_id, *_CONSOLE)
    .select_from(
        tables.console_changes.outerjoin(
            tables.consoles,
            sa.and_(
                _consoles.id == _changes.console_id,
                _consoles.console_host_id == _changes.console_host_id,
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
    """Note which console the present revision of a host has changed.

    The caller has raised the revision, and so holds the lock on its row.
    """
    connection.execute(_RECORD, {"host_id": host_id, "console_id": console_id})


def list_all(database: Database, host_id: int) -> Sequence[sa.Row[Any]]:
    """Return all consoles of a console host as its agent needs them."""
    return database.read(_ALL, {"host_id": host_id})


def list_since(
    database: Database, host_id: int, revision: int, limit: int
) -> Sequence[sa.Row[Any]]:
    """Return what has changed after a revision, in order of revisions.

    A row has the console as it is now; of one that is no longer there, only
    ``revision`` and ``console_id`` are not null.  The cost grows with the
    number of changes alone.
    """
    return database.read(
        _SINCE, {"host_id": host_id, "revision": revision, "limit": limit}
    )


@retried
def forget(database: Database, host_id: int, revision: int) -> None:
    """Delete the changes up to a revision, which an agent has made."""
    with database.transaction() as connection:
        connection.execute(
            tables.console_changes.delete().where(
                _changes.console_host_id == host_id,
                _changes.revision <= revision,
            )
        )
