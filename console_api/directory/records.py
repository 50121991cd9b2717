# SPDX-License-Identifier: Apache-2.0
"""The rows of servers that a directory looks up elsewhere.

Consoles and tokens refer to the row of their server.  They follow what the
directory reports, as if an operator had changed the row with
``console-api-manage server``.
"""

import dataclasses
from typing import Any

from console_api import errors
from console_api.db import servers
from console_api.db.engine import Database
from console_api.directory.base import Server
from console_api.directory.database import server_from_rows

# How often a write that lost a race is repeated.
_MAX_ATTEMPTS = 5


def update(database: Database, server: Server) -> None:
    """Store a server as its directory reports it, if that differs.

    :raises Unavailable: the row keeps changing
    :raises DatabaseUnavailable: the database does not answer
    """
    for _attempt in range(_MAX_ATTEMPTS):
        known = _known(database, server.uuid)
        if known == server or _write(database, server, known):
            return
    raise errors.Unavailable(
        f"Server {server.uuid} keeps changing. Retry the request."
    )


def is_current(database: Database, server: Server) -> bool:
    """Return whether a server is stored as its directory reported it.

    :raises DatabaseUnavailable: the database does not answer
    """
    return _known(database, server.uuid) == server


def delete(database: Database, server_id: str) -> bool:
    """Delete a server with its consoles and tokens.

    :returns: whether it was stored
    :raises DatabaseUnavailable: the database does not answer
    """
    # Read first: requests for unknown ids must not cause writes.
    return bool(servers.get(database, server_id)) and servers.delete(
        database, server_id
    )


def _known(database: Database, server_id: str) -> Server | None:
    rows = servers.get(database, server_id)
    return server_from_rows(rows) if rows else None


def _write(database: Database, server: Server, known: Server | None) -> bool:
    """Store the differences.

    :returns: False if another worker has inserted or deleted the row since
        it was read, which the primary key decides
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
