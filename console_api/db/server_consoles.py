# SPDX-License-Identifier: Apache-2.0
"""Statements on all consoles of a server that is being changed or deleted.

They run in the transaction that has locked the row of the server.
"""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console_api.db import console_changes, console_counts, tables

_consoles = tables.consoles.c


def delete(connection: Connection, server_id: str) -> None:
    """Delete all consoles of a server whose row the caller has locked."""
    for console_id, host_id in _lock(connection, server_id):
        console_counts.remove_console(connection, host_id)
        console_changes.record(connection, host_id, console_id)
    connection.execute(
        tables.consoles.delete().where(_consoles.server_id == server_id)
    )


def update(connection: Connection, server_id: str, instance_name: str) -> None:
    """Update the consoles of a server whose name or compute host changed.

    The caller has locked and updated the row of the server.
    """
    for console_id, host_id in _lock(connection, server_id):
        console_counts.change_console(connection, host_id)
        console_changes.record(connection, host_id, console_id)
    connection.execute(
        tables.consoles.update()
        .where(_consoles.server_id == server_id)
        .values(
            instance_name=instance_name,
            revision=console_counts.revision_of(_consoles.console_host_id),
        )
    )


def _lock(connection: Connection, server_id: str) -> list[tuple[int, int]]:
    """Lock the consoles of a server.

    :returns: the ids of each console and its console host
    """
    rows = connection.execute(
        sa.select(_consoles.id, _consoles.console_host_id)
        .where(_consoles.server_id == server_id)
        .order_by(_consoles.console_host_id)
        # No other request can delete or move, and so count, these now.
        .with_for_update()
    )
    return [(console_id, host_id) for console_id, host_id in rows]
