# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

from console_api.db import (
    console_counts,
    console_host_deletion,
    console_hosts,
    tables,
)
from console_api.db.console_hosts import ConsoleHostRow
from console_api.tests.unit import base


class AddConsoleTest(base.DatabaseCase):
    def add(self, row: ConsoleHostRow) -> bool:
        with self.database.transaction() as connection:
            return console_counts.add_console(connection, row)

    def test_range_limits_count(self) -> None:
        row = self.add_console_host(min_port=5900, max_port=5901)
        self.assertEqual(
            [True, True, False], [self.add(row) for _ in range(3)]
        )
        self.assertEqual(2, self.console_host().console_count)

    def test_multiplexed_host_has_no_limit(self) -> None:
        row = self.add_console_host(
            min_port=None, max_port=None, multiplex_port=9
        )
        self.assertEqual([True] * 5, [self.add(row) for _ in range(5)])
        self.assertEqual(5, self.console_host().console_count)

    def test_changed_host_is_refused(
        self,
    ) -> None:
        changes: Sequence[console_hosts.ConsoleHostChanges] = (
            {"enabled": False},
            {"min_port": 5901},
            {"max_port": 5950},
            {"min_port": None, "max_port": None, "multiplex_port": 9},
        )
        for change in changes:
            with self.subTest(change):
                row = self.add_console_host()
                console_hosts.update(self.database, "console-1", "vnc", change)
                self.assertFalse(self.add(row))
                console_host_deletion.delete(self.database, "console-1", "vnc")

    def test_deleted_host_is_refused(self) -> None:
        row = self.add_console_host()
        console_host_deletion.delete(self.database, "console-1", "vnc")
        self.assertFalse(self.add(row))

    def test_other_hosts_are_not_counted(self) -> None:
        row = self.add_console_host()
        self.add_console_host("console-2")
        self.add(row)
        with self.database.transaction() as connection:
            console_counts.remove_console(connection, row.id)
        self.assertEqual(
            [0, 0],
            [each.console_count for each in self.rows(tables.console_hosts)],
        )

    def test_count_is_never_negative(self) -> None:
        row = self.add_console_host()
        with self.database.transaction() as connection:
            console_counts.remove_console(connection, row.id)
        self.assertEqual(0, self.console_host().console_count)
