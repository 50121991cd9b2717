# SPDX-License-Identifier: Apache-2.0
"""Keeps the rows of servers whose directory is not our own tables.

Consoles and tokens refer to the row of their server.  What hangs on it
follows what the directory says, as if an operator had changed the row with
``console-api-manage server``.
"""

import dataclasses
from typing import Any

from console_api import errors
from console_api.db import servers
from console_api.db.engine import Database
from console_api.directory.base import Server
from console_api.directory.database import server_from_rows

# How often a write that was overtaken looks again before it gives up.
_KEEP_TRIES = 5


def keep(database: Database, server: Server) -> None:
    """Make a server's row what its directory says; no write if it is that.

    :raises Unavailable: the row keeps changing
    :raises DatabaseUnavailable: the database does not answer
    """
    for _attempt in range(_KEEP_TRIES):
        known = _known(database, server.uuid)
        if known == server or _write(database, server, known):
            return
    raise errors.Unavailable(
        f"Server {server.uuid} keeps changing. Try again."
    )


def is_kept(database: Database, server: Server) -> bool:
    """Tell whether a server's row is what its directory has said.

    :raises DatabaseUnavailable: the database does not answer
    """
    return _known(database, server.uuid) == server


def forget(database: Database, server_id: str) -> bool:
    """Delete a server that is gone, with all that hangs on it.

    :returns: whether it was known
    :raises DatabaseUnavailable: the database does not answer
    """
    # A read first: who asks for ids that nobody has causes no writes.
    return bool(servers.get(database, server_id)) and servers.delete(
        database, server_id
    )


def _known(database: Database, server_id: str) -> Server | None:
    rows = servers.get(database, server_id)
    return server_from_rows(rows) if rows else None


def _write(database: Database, server: Server, known: Server | None) -> bool:
    """Write what is new.

    :returns: False if another worker has inserted or deleted the row
        meanwhile; the primary key tells
    """
    values = _values(server)
    endpoints = _endpoints(server)
    if known is None:
        try:
            servers.insert(database, [values], endpoints)
        except errors.AlreadyExists:
            return False
        return True
    before = _values(known)
    return servers.update(
        database,
        server.uuid,
        {key: value for key, value in values.items() if value != before[key]},
        [row for row in endpoints if row not in _endpoints(known)],
        sorted(known.endpoints.keys() - server.endpoints.keys()),
    )


def _values(server: Server) -> dict[str, Any]:
    return {
        field.name: getattr(server, field.name)
        for field in dataclasses.fields(server)
        if field.name != "endpoints"
    }


def _endpoints(server: Server) -> list[dict[str, Any]]:
    return [
        {
            "server_id": server.uuid,
            "protocol": protocol,
            **dataclasses.asdict(endpoint),
        }
        for protocol, endpoint in server.endpoints.items()
    ]
