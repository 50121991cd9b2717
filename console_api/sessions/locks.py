# SPDX-License-Identifier: Apache-2.0
"""Lock users, projects and hosts out of sessions."""

from collections.abc import Sequence

from console_api import errors
from console_api.db import console_locks
from console_api.db.console_locks import Lock
from console_api.db.engine import Database

# Includes what the methods return.
__all__ = ["Lock", "LockManager"]


class LockManager:
    """Operations on locks.

    A lock refuses new sessions at once, and gateways cut the existing ones
    with their next heartbeats.
    """

    def __init__(self, database: Database) -> None:
        """Prepare the operations."""
        self._database = database

    def list(self) -> Sequence[Lock]:
        """Return all locks by scope and name.

        :raises DatabaseUnavailable: the database does not respond
        """
        return console_locks.list_all(self._database)

    def put(self, scope: str, name: str, reason: str) -> Lock:
        """Create a lock, or change its reason; return it.

        :param scope: ``user``, ``project`` or ``host``
        :raises LockNotFound: it was deleted concurrently
        :raises DatabaseUnavailable: the database does not respond
        """
        console_locks.put(self._database, scope, name, reason)
        found = console_locks.get(self._database, scope, name)
        if found is None:
            raise errors.LockNotFound(scope, name)
        return found

    def delete(self, scope: str, name: str) -> None:
        """Delete a lock.

        :raises LockNotFound: it does not exist
        :raises DatabaseUnavailable: the database does not respond
        """
        if not console_locks.delete(self._database, scope, name):
            raise errors.LockNotFound(scope, name)
