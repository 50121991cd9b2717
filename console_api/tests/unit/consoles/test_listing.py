# SPDX-License-Identifier: Apache-2.0
from console_api.consoles.listing import ConsoleListing, ConsolePage
from console_api.db import consoles
from console_api.db.console_listing import ConsoleFilters
from console_api.tests.unit import base
from console_api.tests.unit.base import server_id


class PageTest(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        host = self.add_console_host()
        for number in (1, 2, 3):
            self.add_server(server_id(number))
            consoles.insert(
                self.database, host, base.new_console(server_id(number))
            )

    def page(self, limit: int, marker: int = 0) -> ConsolePage:
        return ConsoleListing(self.database, 60).page(
            ConsoleFilters(), marker=marker, limit=limit
        )

    def test_only_last_page_has_no_next_marker(self) -> None:
        first = self.page(2)
        self.assertEqual(2, len(first.consoles))
        self.assertEqual(first.consoles[-1].id, first.next_marker)
        last = self.page(2, first.next_marker or 0)
        self.assertEqual((1, None), (len(last.consoles), last.next_marker))

    def test_full_last_page_has_no_next_marker(self) -> None:
        page = self.page(3)
        self.assertEqual((3, None), (len(page.consoles), page.next_marker))

    def test_host_down_time_decides_on_state(self) -> None:
        self.set_last_seen_at(self.console_host().id, 1)
        states = {console.state for console in self.page(9).consoles}
        self.assertEqual({"unknown"}, states)
