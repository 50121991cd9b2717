# SPDX-License-Identifier: Apache-2.0
from console_api import errors
from console_api.db import console_host_deletion, tables
from console_api.tests.unit.db.test_console_hosts import ConsoleHostsCase


class DeleteTest(ConsoleHostsCase):
    def test_host_without_consoles_is_deleted(self) -> None:
        self.add_console_host()
        self.add_console_host(console_type="vnc+xvp")
        self.assertTrue(
            console_host_deletion.delete(self.database, "console-1", "vnc")
        )
        [row] = self.rows(tables.console_hosts)
        self.assertEqual("vnc+xvp", row.console_type)

    def test_host_with_consoles_is_kept(self) -> None:
        self.add_console_host()
        self.add_console("console-1")
        with self.assertRaisesRegex(errors.Conflict, "still has vnc consoles"):
            console_host_deletion.delete(self.database, "console-1", "vnc")
        self.assertEqual(1, len(self.rows(tables.console_hosts)))
        self.assertEqual(1, len(self.rows(tables.consoles)))

    def test_delete_of_unknown_host_is_reported(self) -> None:
        self.add_console_host()
        for function in (
            console_host_deletion.delete,
            console_host_deletion.delete_with_consoles,
        ):
            with self.subTest(function.__name__):
                self.assertFalse(
                    function(self.database, "console-1", "vnc+xvp")
                )
                self.assertFalse(function(self.database, "other", "vnc"))
        self.assertEqual(1, len(self.rows(tables.console_hosts)))

    def test_delete_with_consoles_keeps_those_of_other_hosts(self) -> None:
        for host, console_type in (
            ("console-1", "vnc"),
            ("console-1", "vnc+xvp"),
            ("console-2", "vnc"),
        ):
            self.add_console_host(host, console_type=console_type)
            self.add_console(host, console_type)
            self.add_console(host, console_type)
        self.assertTrue(
            console_host_deletion.delete_with_consoles(
                self.database, "console-1", "vnc"
            )
        )
        self.assertEqual(2, len(self.rows(tables.console_hosts)))
        self.assertEqual(4, len(self.rows(tables.consoles)))
        self.assertCountsAreRight()
