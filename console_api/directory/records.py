# SPDX-License-Identifier: Apache-2.0
"""The rows of servers that a directory looks up elsewhere.

Consoles and tokens refer to the row of their server.  They follow what the
directory reports, as if an operator had changed the row with
``console-api-manage server``.
"""

from console_api import errors
from console_api.db import console_auth_tokens, servers
from console_api.db.engine import Database
from console_api.db.servers import ServerChanges
from console_api.directory.base import Server

# Maximum number of attempts of a write that loses races.
_MAX_ATTEMPTS = 5


def update(database: Database, server: Server) -> None:
    """Store a server as its directory reports it, if that differs.

    :raises Unavailable: the row keeps changing
    :raises DatabaseUnavailable: the database does not answer
    """
    for _attempt in range(_MAX_ATTEMPTS):
        stored = servers.get(database, server.uuid)
        if stored == server or _write(database, server, stored):
            return
    raise errors.Unavailable(
        f"Server {server.uuid} keeps changing. Retry the request."
    )


def is_current(database: Database, server: Server) -> bool:
    """Return whether a server is stored as its directory reported it.

    :raises DatabaseUnavailable: the database does not answer
    """
    return servers.get(database, server.uuid) == server


def delete(database: Database, server_id: str) -> bool:
    """Delete a server with its consoles and tokens.

    :returns: whether it was stored
    :raises DatabaseUnavailable: the database does not answer
    """
    # Read first: requests for unknown ids must not cause writes.
    return servers.get(database, server_id) is not None and servers.delete(
        database, server_id
    )


def revoke_tokens(database: Database, server_id: str) -> bool:
    """Revoke the tokens of a server.

    :returns: whether it is stored
    :raises DatabaseUnavailable: the database does not answer
    """
    # Read first: notifications of unknown servers must not cause writes.
    return servers.get(
        database, server_id
    ) is not None and console_auth_tokens.delete_of_server(database, server_id)


def _write(database: Database, server: Server, stored: Server | None) -> bool:
    """Store the differences.

    :returns: False if another worker has inserted or deleted the row since
        it was read, which the primary key decides
    """
    if stored is None:
        try:
            servers.insert(database, [server])
        except errors.AlreadyExists:
            return False
        return True
    return servers.update(
        database,
        server.uuid,
        _changes(stored, server),
        dict(server.endpoints.items() - stored.endpoints.items()),
        stored.endpoints.keys() - server.endpoints.keys(),
    )


def _changes(old: Server, new: Server) -> ServerChanges:
    changes: ServerChanges = {}
    if new.project_id != old.project_id:
        changes["project_id"] = new.project_id
    if new.name != old.name:
        changes["name"] = new.name
    if new.instance_name != old.instance_name:
        changes["instance_name"] = new.instance_name
    if new.compute_host != old.compute_host:
        changes["compute_host"] = new.compute_host
    return changes
