# SPDX-License-Identifier: Apache-2.0
from console_api import values
from console_api.db import console_problems, consoles, tables
from console_api.tests.unit import base
from console_api.tests.unit.base import server_id


class ConsoleProblemsTest(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.host = self.add_console_host()
        for number in (1, 2, 3):
            uuid = self.add_server(server_id(number)).uuid
            consoles.insert(self.database, self.host, base.new_console(uuid))
        self.ids = [row.id for row in self.rows(tables.consoles)]

    def problems(self) -> list[str | None]:
        return [row.problem for row in self.rows(tables.consoles)]

    def test_update_changes_only_what_it_names(self) -> None:
        first, second, _ = self.ids
        console_problems.update(
            self.database, self.host.id, {first: "a", second: "b"}
        )
        console_problems.update(self.database, self.host.id, {first: None})
        self.assertEqual([None, "b", None], self.problems())

    def test_replace_clears_all_others(self) -> None:
        first, second, third = self.ids
        console_problems.update(
            self.database, self.host.id, {first: "a", second: "b"}
        )
        console_problems.replace(
            self.database, self.host.id, {second: "c", third: "d"}
        )
        self.assertEqual([None, "c", "d"], self.problems())

    def test_consoles_of_other_hosts_are_kept(self) -> None:
        other = self.add_console_host("console-2")
        console_problems.replace(self.database, self.host.id, {1: "a"})
        console_problems.replace(self.database, other.id, {2: "b"})
        self.assertEqual(["a", None, None], self.problems())

    def test_moved_console_has_no_problem(self) -> None:
        console_problems.replace(self.database, self.host.id, {1: "a"})
        other = self.add_console_host("console-2")
        consoles.move(self.database, 1, self.host.id, other)
        self.assertEqual([None, None, None], self.problems())

    def test_long_reason_is_shortened(self) -> None:
        console_problems.replace(self.database, self.host.id, {1: "x" * 600})
        self.assertEqual("x" * values.MAX_REASON_LENGTH, self.problems()[0])
