# SPDX-License-Identifier: Apache-2.0
from console_api.db import consoles, passwords, tables
from console_api.db.passwords import PasswordRow, Replacement
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
                base.new_console(
                    server_id(number), encrypted_password=f"old-{number}"
                ),
            )
        self.ids = [row.id for row in self.rows(tables.consoles)]

    def stored(self) -> list[str]:
        return [row.encrypted_password for row in self.rows(tables.consoles)]

    def test_passwords_are_counted(self) -> None:
        self.assertEqual(3, passwords.count(self.database))

    def test_pages_follow_each_other_by_console_id(self) -> None:
        first = passwords.list_page(self.database, 0, 2)
        self.assertEqual(
            [
                PasswordRow(self.ids[0], "old-1"),
                PasswordRow(self.ids[1], "old-2"),
            ],
            first,
        )
        rest = passwords.list_page(self.database, first[-1].console_id, 2)
        self.assertEqual([PasswordRow(self.ids[2], "old-3")], rest)
        self.assertEqual(
            [], passwords.list_page(self.database, self.ids[2], 2)
        )

    def test_given_passwords_are_replaced(self) -> None:
        passwords.replace(
            self.database,
            [
                Replacement(self.ids[0], "old-1", "new-1"),
                Replacement(self.ids[2], "old-3", "new-3"),
            ],
        )
        self.assertEqual(["new-1", "old-2", "new-3"], self.stored())

    def test_password_changed_concurrently_is_kept(self) -> None:
        passwords.replace(
            self.database,
            [
                Replacement(self.ids[0], "older", "new-1"),
                Replacement(self.ids[1], "old-2", "new-2"),
                Replacement(max(self.ids) + 1, "old-4", "new-4"),
            ],
        )
        self.assertEqual(["old-1", "new-2", "old-3"], self.stored())
