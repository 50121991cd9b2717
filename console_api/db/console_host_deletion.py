# SPDX-License-Identifier: Apache-2.0
"""Statements that delete console hosts."""

import sqlalchemy as sa
from oslo_db import exception as db_exc
from sqlalchemy.engine import Connection

from console_api import errors
from console_api.db import tables
from console_api.db.engine import Database, retried

_hosts = tables.console_hosts.c
_heartbeats = tables.console_host_heartbeats


@retried
def delete(database: Database, host: str, console_type: str) -> bool:
    """Delete a console host that has no consoles.

    :returns: whether it existed
    :raises Conflict: it has consoles
    """
    try:
        with database.transaction() as connection:
            host_id = _lock(connection, host, console_type)
            _delete(connection, host_id)
    except db_exc.DBReferenceError as error:
        raise errors.Conflict(
            f"Console host {host} still has {console_type} consoles."
        ) from error
    return host_id is not None


@retried
def delete_with_consoles(
    database: Database, host: str, console_type: str
) -> bool:
    """Delete a console host with its consoles.

    :returns: whether it existed
    """
    with database.transaction() as connection:
        host_id = _lock(connection, host, console_type)
        connection.execute(
            tables.consoles.delete().where(
                tables.consoles.c.console_host_id == host_id
            )
        )
        _delete(connection, host_id)
    return host_id is not None


def _lock(connection: Connection, host: str, console_type: str) -> int | None:
    """Lock the row of a console host, so that no console is added."""
    where = (_hosts.host == host, _hosts.console_type == console_type)
    connection.execute(
        tables.console_hosts.update().where(*where).values(host=host)
    )
    found: int | None = connection.scalar(sa.select(_hosts.id).where(*where))
    return found


def _delete(connection: Connection, host_id: int | None) -> None:
    connection.execute(
        _heartbeats.delete().where(_heartbeats.c.console_host_id == host_id)
    )
    connection.execute(
        tables.console_changes.delete().where(
            tables.console_changes.c.console_host_id == host_id
        )
    )
    connection.execute(
        tables.console_hosts.delete().where(_hosts.id == host_id)
    )
