# SPDX-License-Identifier: Apache-2.0
from typing import Any, cast

import sqlalchemy as sa
from oslo_db import exception as db_exc

from console_api import errors
from console_api.db import console_hosts, consoles, tables
from console_api.tests.unit import base


class ConsoleHostsCase(base.DatabaseCase):
    def add_console(self, host: str, console_type: str = "vnc") -> None:
        """Put a console of a new server on a console host."""
        number = len(self.rows(tables.servers)) + 1
        server = self.add_server(base.server_id(number))
        outcome = consoles.insert(
            self.database,
            self.console_host(host, console_type),
            base.new_console(server.uuid),
        )
        self.assertIs(consoles.Placed.DONE, outcome)


class InsertTest(ConsoleHostsCase):
    def test_new_host_has_no_consoles(self) -> None:
        row = self.add_console_host()
        self.assertEqual(0, row.console_count)
        self.assertTrue(row.enabled)
        self.assertEqual(0, row.revision)

    def test_second_host_of_type_is_refused(self) -> None:
        self.add_console_host()
        self.add_console_host(console_type="vnc+xvp")
        with self.assertRaisesRegex(
            errors.AlreadyExists, "console-1.* vnc already exists"
        ):
            self.add_console_host(min_port=1)
        self.assertEqual(5900, self.console_host().min_port)

    def test_invalid_ports_are_refused(self) -> None:
        for values in (
            {"min_port": None},
            {"max_port": None},
            {"min_port": None, "max_port": None},
            {"multiplex_port": 5900},
            {"min_port": 0},
            {"min_port": 5910},
            {"max_port": 65536},
            {"min_port": None, "max_port": None, "multiplex_port": 0},
            {"min_port": None, "max_port": None, "multiplex_port": 65536},
        ):
            with self.subTest(values), self.assertRaises(db_exc.DBError):
                self.add_console_host(**values)
        self.assertEqual([], self.rows(tables.console_hosts))


class ListTest(ConsoleHostsCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_console_host("b", enabled=False)
        self.add_console_host("b", console_type="mks")
        self.add_console_host("a")

    def test_all_hosts_are_ordered_by_name_and_type(self) -> None:
        self.assertEqual(
            [("a", "vnc"), ("b", "mks"), ("b", "vnc")],
            [
                (row.host, row.console_type)
                for row in console_hosts.list_all(self.database)
            ],
        )


class UpdateTest(ConsoleHostsCase):
    def update(self, **values: Any) -> bool:
        changes = cast("console_hosts.ConsoleHostChanges", values)
        return console_hosts.update(self.database, "console-1", "vnc", changes)

    def test_only_given_columns_of_one_host_change(self) -> None:
        self.add_console_host()
        self.add_console_host(console_type="vnc+xvp")
        self.add_console_host("console-2")
        self.assertTrue(self.update(enabled=False))
        self.assertEqual(
            [("console-1", "vnc")],
            [
                (row.host, row.console_type)
                for row in console_hosts.list_all(self.database)
                if not row.enabled
            ],
        )
        self.assertEqual(5900, self.console_host().min_port)

    def test_switch_is_one_statement(self) -> None:
        self.add_console_host()
        statements = []
        sa.event.listen(
            self.database._writer,
            "before_cursor_execute",
            lambda _connection, _cursor, text, *_rest: statements.append(text),
        )
        self.assertTrue(self.update(enabled=False))
        begin, statement = statements
        self.assertEqual("BEGIN IMMEDIATE", begin)
        self.assertTrue(statement.startswith("UPDATE "), statement)

    def test_update_of_unknown_host_is_reported(self) -> None:
        self.add_console_host(console_type="vnc+xvp")
        self.assertFalse(self.update(enabled=False))

    def test_ports_without_consoles_can_change(self) -> None:
        self.add_console_host()
        for values in (
            {"min_port": 1, "max_port": 1},
            {"min_port": None, "max_port": None, "multiplex_port": 9},
            {"min_port": 5900, "max_port": 5900, "multiplex_port": None},
        ):
            with self.subTest(values):
                self.assertTrue(self.update(**values))

    def test_range_can_change_around_consoles(self) -> None:
        self.add_console_host(min_port=5900, max_port=5901)
        self.add_console("console-1")
        self.add_console("console-1")
        self.assertTrue(self.update(min_port=5800, max_port=6000))
        self.assertTrue(self.update(min_port=5900, max_port=5901))

    def test_ports_in_use_cannot_be_removed(self) -> None:
        self.add_console_host(min_port=5900, max_port=5901)
        self.add_console("console-1")
        self.add_console("console-1")
        for values in (
            {"min_port": 5901},
            {"max_port": 5900},
            {"min_port": None, "max_port": None, "multiplex_port": 9},
        ):
            with self.subTest(values):
                with self.assertRaisesRegex(errors.Conflict, "console-1"):
                    self.update(**values)
                row = self.console_host()
                self.assertEqual(
                    (5900, 5901, None),
                    (row.min_port, row.max_port, row.multiplex_port),
                )

    def test_multiplex_port_cannot_become_a_range(self) -> None:
        self.add_console_host(min_port=None, max_port=None, multiplex_port=9)
        self.add_console("console-1")
        self.assertTrue(self.update(multiplex_port=10))
        with self.assertRaises(errors.Conflict):
            self.update(min_port=1, max_port=9, multiplex_port=None)
        self.assertEqual(10, self.console_host().multiplex_port)

    def test_consoles_of_other_hosts_are_ignored(self) -> None:
        self.add_console_host(min_port=5900, max_port=5900)
        self.add_console_host("console-2", min_port=5900, max_port=5900)
        self.add_console("console-2")
        self.assertTrue(self.update(min_port=1, max_port=1))


class RegisterTest(base.DatabaseCase):
    def register(self, **values: Any) -> int:
        return console_hosts.register(
            self.database, base.console_host(**values)
        )

    def test_new_host_is_enabled(self) -> None:
        host_id = self.register()
        row = self.console_host()
        self.assertEqual((host_id, True), (row.id, row.enabled))

    def test_known_host_is_updated(self) -> None:
        first = self.register()
        console_hosts.update(
            self.database, "console-1", "vnc", {"enabled": False}
        )
        self.assertEqual(first, self.register(public_hostname="new"))
        row = self.console_host()
        self.assertEqual(("new", False), (row.public_hostname, row.enabled))
