# SPDX-License-Identifier: Apache-2.0
"""Find stored servers that a directory no longer has.

Several processes may do this at a time: a later one finds less to delete.
"""

from collections.abc import Iterator

from console_api import errors
from console_api.db import servers
from console_api.db.engine import Database
from console_api.directory.remote import RemoteDirectory

# How many servers one query returns.
_PAGE_SIZE = 100


def known_servers(database: Database, marker: str = "") -> Iterator[str]:
    """Iterate over the ids of stored servers in order.

    :param marker: the id after which to start

    :raises DatabaseUnavailable: the database does not answer
    """
    while page := servers.list_page(database, marker, _PAGE_SIZE):
        for row in page:
            yield row.uuid
        marker = page[-1].uuid


def is_gone(
    database: Database, directory: RemoteDirectory, server_id: str
) -> bool:
    """Return whether a stored server was deleted.

    If the directory no longer has the server, it is deleted with its
    consoles and tokens; otherwise its row is updated.  Some directories wait
    for a while before they delete.

    :raises Unavailable: the directory does not answer; nothing is deleted
    """
    try:
        directory.refresh(server_id)
    except errors.ServerNotFound:
        return not servers.get(database, server_id)
    return False
