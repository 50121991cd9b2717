# SPDX-License-Identifier: Apache-2.0
"""Consoles of all servers, with their state, in pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from console_api.db import console_listing
from console_api.db.console_listing import ConsoleFilters, ListedConsole
from console_api.db.engine import Database


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """Consoles in the order of their IDs.

    ``next_marker`` is the ID after which the next page starts, None if this is
    the last page.
    """

    consoles: Sequence[ListedConsole]
    next_marker: int | None


class ConsoleListing:
    """Lists consoles."""

    def __init__(self, database: Database, host_down_time: int) -> None:
        """Prepare the operation.

        :param host_down_time: seconds without a heartbeat after which the
            state of the consoles of a console host is unknown
        """
        self._database = database
        self._host_down_time = host_down_time

    def page(
        self, filters: ConsoleFilters, *, marker: int = 0, limit: int
    ) -> ConsolePage:
        """Return a page of the consoles that match the filters.

        :param marker: the ID after which to start
        :param limit: the maximum number of consoles
        :raises DatabaseUnavailable: the database does not answer
        """
        found = console_listing.list_page(
            self._database,
            filters,
            down_time=self._host_down_time,
            marker=marker,
            # One more shows whether there is another page.
            limit=limit + 1,
        )
        shown = found[:limit]
        return ConsolePage(shown, shown[-1].id if found[limit:] else None)
