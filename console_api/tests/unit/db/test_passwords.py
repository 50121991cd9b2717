# SPDX-License-Identifier: Apache-2.0
from console_api.db import consoles, passwords, tables
from console_api.tests.unit import base
from console_api.tests.unit.base import server_id


class PasswordsTest(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        host = self.add_console_host()
        for number in (1, 2, 3):
            self.add_server(server_id(number))
            consoles.insert(
                self.database,
                host,
                {
                    "server_id": server_id(number),
                    "instance_name": "x",
                    "encrypted_password": f"old-{number}",
                    "created_at": 1,
                },
            )
        self.ids = [row.id for row in self.rows(tables.consoles)]

    def stored(self) -> list[str]:
        return [row.encrypted_password for row in self.rows(tables.consoles)]

    def test_they_are_counted(self) -> None:
        self.assertEqual(3, passwords.count(self.database))

    def test_pages_follow_each_other_by_console_id(self) -> None:
        first = passwords.list_page(self.database, 0, 2)
        self.assertEqual(
            [(self.ids[0], "old-1"), (self.ids[1], "old-2")],
            [tuple(row) for row in first],
        )
        rest = passwords.list_page(self.database, first[-1].id, 2)
        self.assertEqual([(self.ids[2], "old-3")], [tuple(r) for r in rest])
        self.assertEqual(
            [], passwords.list_page(self.database, self.ids[2], 2)
        )

    def test_those_given_are_replaced(self) -> None:
        passwords.replace(
            self.database,
            [(self.ids[0], "old-1", "new-1"), (self.ids[2], "old-3", "new-3")],
        )
        self.assertEqual(["new-1", "old-2", "new-3"], self.stored())

    def test_one_changed_meanwhile_is_left_as_it_is(self) -> None:
        passwords.replace(
            self.database,
            [
                (self.ids[0], "older", "new-1"),
                (self.ids[1], "old-2", "new-2"),
                (max(self.ids) + 1, "old-4", "new-4"),
            ],
        )
        self.assertEqual(["old-1", "new-2", "old-3"], self.stored())
