# SPDX-License-Identifier: Apache-2.0
"""Finds known servers that a directory no longer has.

Two that do so at once do no harm: the second one finds less to do.
"""

from collections.abc import Iterator

from console_api import errors
from console_api.db import servers
from console_api.db.engine import Database
from console_api.directory.remote import RemoteDirectory

# How many servers are read at a time.
_PAGE = 100


def known_servers(database: Database, marker: str = "") -> Iterator[str]:
    """Return the uuids of the servers after one, in order.

    :raises DatabaseUnavailable: the database does not answer
    """
    while page := servers.list_page(database, marker, _PAGE):
        for row in page:
            yield row.uuid
        marker = page[-1].uuid


def is_gone(
    database: Database, directory: RemoteDirectory, server_id: str
) -> bool:
    """Ask for a known server as it is now.

    If the directory no longer has it, it is deleted with all that hangs on
    it; else its row becomes what the directory says.

    :returns: whether it is gone for good; some directories wait for a while
    :raises Unavailable: the directory does not answer; nothing is deleted
    """
    try:
        directory.refresh(server_id)
    except errors.ServerNotFound:
        return not servers.get(database, server_id)
    return False
