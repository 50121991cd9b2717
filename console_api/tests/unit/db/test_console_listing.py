# SPDX-License-Identifier: Apache-2.0
from typing import Any

from console_api.db import (
    console_listing,
    console_problems,
    consoles,
    heartbeats,
    servers,
    tables,
)
from console_api.db.console_listing import ConsoleFilters, ListedConsole
from console_api.db.heartbeats import AgentReport
from console_api.tests.unit import base
from console_api.tests.unit.base import OTHER_PROJECT, PROJECT, server_id
from console_api.values import ConsoleState


class ListingCase(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.host = self.add_console_host()
        for number in (1, 2, 3):
            self.add_server(
                server_id(number),
                project_id=OTHER_PROJECT if number == 3 else PROJECT,
            )
            consoles.insert(
                self.database, self.host, base.new_console(server_id(number))
            )
        self.ids = [row.id for row in self.rows(tables.consoles)]

    def page(
        self, marker: int = 0, limit: int = 9, **filters: str
    ) -> list[ListedConsole]:
        return console_listing.list_page(
            self.database,
            ConsoleFilters(**filters),
            down_time=60,
            marker=marker,
            limit=limit,
        )

    def states(self) -> list[str]:
        return [console.state for console in self.page()]

    def report(self, revision: int | None, failed_count: int = 0) -> None:
        heartbeats.record(
            self.database,
            self.host.id,
            AgentReport(
                "1.0.0",
                "vnc",
                served_revision=revision,
                failed_count=failed_count,
            ),
        )


class StateTest(ListingCase):
    def test_console_is_pending_until_its_revision_is_served(self) -> None:
        for revision, expected in (
            (None, ["pending"] * 3),
            (0, ["pending"] * 3),
            (1, ["serving", "pending", "pending"]),
            (3, ["serving"] * 3),
            (4, ["serving"] * 3),
        ):
            with self.subTest(revision=revision):
                self.report(revision)
                self.assertEqual(expected, self.states())

    def test_console_with_problem_is_failed(self) -> None:
        self.report(3)
        problems = {self.ids[1]: "Port 5900 is in use."}
        console_problems.update(self.database, self.host.id, problems)
        self.assertEqual(["serving", "failed", "serving"], self.states())
        self.assertEqual("Port 5900 is in use.", self.page()[1].problem)

    def test_changed_console_is_pending_whatever_its_problem_was(self) -> None:
        self.report(3)
        problems = {self.ids[1]: "Port 5900 is in use."}
        console_problems.update(self.database, self.host.id, problems)
        servers.update(
            self.database,
            server_id(2),
            {"compute_host": "compute-9", "instance_name": "new"},
            {},
            [],
        )
        self.assertEqual(["serving", "pending", "serving"], self.states())

    def test_console_of_host_that_is_down_is_unknown(self) -> None:
        self.report(3)
        for seen_at, expected in (
            (None, "unknown"),
            (1, "unknown"),
            (2**40, "serving"),
        ):
            self.set_last_seen_at(self.host.id, seen_at)
            self.assertEqual([expected] * 3, self.states())

    def test_moved_console_is_pending_on_its_new_host(self) -> None:
        self.report(3)
        problems = {self.ids[0]: "Port 5900 is in use."}
        console_problems.update(self.database, self.host.id, problems)
        new = self.add_console_host("console-2")
        consoles.move(self.database, self.ids[0], self.host.id, new)
        self.assertEqual("pending", self.states()[0])
        heartbeats.record(
            self.database,
            new.id,
            AgentReport("1.0.0", "vnc", served_revision=1),
        )
        self.assertEqual("serving", self.states()[0])


class FilterTest(ListingCase):
    def assertListed(self, numbers: list[int], **filters: Any) -> None:
        with self.subTest(**filters):
            self.assertEqual(
                [self.ids[number - 1] for number in numbers],
                [console.id for console in self.page(**filters)],
            )

    def test_console_has_all_attributes(self) -> None:
        [row] = [
            row for row in self.rows(tables.consoles) if row.id == self.ids[0]
        ]
        self.assertEqual(
            ListedConsole(
                id=row.id,
                server_id=server_id(1),
                project_id=PROJECT,
                console_type="vnc",
                instance_name=row.instance_name,
                console_host="console-1",
                host="console-1.example.org",
                port=row.port,
                state="pending",
                created_at=row.created_at,
                expires_at=None,
                problem=None,
            ),
            self.page()[0],
        )

    def test_filters_select_consoles(self) -> None:
        self.report(2)
        other = self.add_console_host("console-2", console_type="vnc+xvp")
        consoles.insert(self.database, other, base.new_console(server_id(1)))
        self.ids = [row.id for row in self.rows(tables.consoles)]
        for filters, numbers in (
            ({}, [1, 2, 3, 4]),
            ({"project_id": PROJECT}, [1, 2, 4]),
            ({"project_id": OTHER_PROJECT}, [3]),
            ({"server_id": server_id(1)}, [1, 4]),
            ({"console_host": "console-2"}, [4]),
            ({"console_type": "vnc"}, [1, 2, 3]),
            ({"state": "serving"}, [1, 2]),
            ({"state": "pending"}, [3, 4]),
            ({"state": "failed"}, []),
            ({"state": "pending", "project_id": PROJECT}, [4]),
            ({"server_id": server_id(1), "console_type": "vnc"}, [1]),
            ({"server_id": server_id(1), "project_id": OTHER_PROJECT}, []),
            ({"console_host": "no"}, []),
        ):
            self.assertListed(numbers, **filters)

    def test_each_console_has_exactly_one_state(self) -> None:
        self.report(2, failed_count=1)
        console_problems.update(
            self.database, self.host.id, dict.fromkeys(self.ids[1:], "It is.")
        )
        for seen_at, expected in (
            (2**40, {"serving": [1], "failed": [2], "pending": [3]}),
            (1, {"unknown": [1, 2, 3]}),
        ):
            self.set_last_seen_at(self.host.id, seen_at)
            for state in ConsoleState:
                self.assertListed(expected.get(state, []), state=state)
                for console in self.page(state=state):
                    self.assertEqual(state, console.state)

    def test_pages_follow_each_other_by_id(self) -> None:
        one, two, three = self.ids
        for marker, limit, numbers in (
            (0, 2, [1, 2]),
            (one, 2, [2, 3]),
            (two, 2, [3]),
            (three, 2, []),
        ):
            self.assertListed(numbers, marker=marker, limit=limit)

    def test_expired_console_is_not_listed(self) -> None:
        self.expire_console(self.ids[0])
        self.assertListed([2, 3])
