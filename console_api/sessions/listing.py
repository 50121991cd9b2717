# SPDX-License-Identifier: Apache-2.0
"""Sessions of all gateways, with their state, in pages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from console_api import errors
from console_api.db import console_session_listing
from console_api.db.console_session_listing import (
    ListedSession,
    SessionFilters,
)
from console_api.db.engine import Database

# Includes what the methods take and return.
__all__ = ["ListedSession", "SessionFilters", "SessionListing", "SessionPage"]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Sessions in the order of their IDs.

    ``next_marker`` is the ID after which the next page starts, None if this is
    the last page.
    """

    sessions: Sequence[ListedSession]
    next_marker: str | None


class SessionListing:
    """Lists and shows sessions."""

    def __init__(self, database: Database, resume_timeout: int) -> None:
        """Prepare the operations.

        :param resume_timeout: seconds after which a session that no viewer has
            connected to is closed
        """
        self._database = database
        self._resume_timeout = resume_timeout

    def page(
        self, filters: SessionFilters, *, marker: str = "", limit: int
    ) -> SessionPage:
        """Return a page of the sessions that match the filters.

        :param marker: the ID after which to start
        :param limit: the maximum number of sessions
        :raises DatabaseUnavailable: the database does not respond
        """
        found = console_session_listing.list_page(
            self._database,
            filters,
            resume_timeout=self._resume_timeout,
            marker=marker,
            # One more shows whether there is another page.
            limit=limit + 1,
        )
        shown = found[:limit]
        return SessionPage(shown, shown[-1].id if found[limit:] else None)

    def get(self, session_id: str) -> ListedSession:
        """Return a session.

        :param session_id: arbitrary text from the client
        :raises SessionNotFound: there is no such session
        :raises DatabaseUnavailable: the database does not respond
        """
        # Databases refuse some of what cannot be an ID.
        if not _UUID.fullmatch(session_id):
            raise errors.SessionNotFound(session_id)
        found = console_session_listing.get(
            self._database, session_id, resume_timeout=self._resume_timeout
        )
        if found is None:
            raise errors.SessionNotFound(session_id)
        return found
