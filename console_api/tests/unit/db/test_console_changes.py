# SPDX-License-Identifier: Apache-2.0
from typing import Any

from console_api.db import (
    console_changes,
    console_hosts,
    consoles,
    servers,
    tables,
)
from console_api.tests.unit import base
from console_api.tests.unit.base import OTHER_PROJECT, SERVER, server_id


class ConsoleChangesCase(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_server()
        self.host = self.add_console_host()
        self.addCleanup(self.assertCountsAreRight)

    def insert(self, uuid: str = SERVER) -> int:
        consoles.insert(
            self.database,
            self.host,
            {
                "server_id": uuid,
                "instance_name": "instance-1",
                "encrypted_password": "encrypted",
                "created_at": 1,
            },
        )
        return int(self.rows(tables.consoles)[-1].id)

    def changes(
        self, revision: int = 0, host_id: int | None = None
    ) -> list[tuple[int, int, int | None]]:
        """Return revision, console changed, and its id if still there."""
        rows = console_changes.list_since(
            self.database, host_id or self.host.id, revision, 99
        )
        return [(row.revision, row.console_id, row.id) for row in rows]


class RecordTest(ConsoleChangesCase):
    def test_a_new_console_is_a_change(self) -> None:
        made = self.insert()
        self.assertEqual([(1, made, made)], self.changes())
        self.assertEqual(1, self.console_host().revision)

    def test_a_console_that_is_gone_is_named(self) -> None:
        made = self.insert()
        consoles.delete(self.database, SERVER, made)
        self.assertEqual([(2, made, None)], self.changes(1))

    def test_what_was_not_done_is_no_change(self) -> None:
        self.insert()
        self.insert()
        consoles.delete(self.database, SERVER, 999)
        self.assertEqual(1, len(self.changes()))
        self.assertEqual(1, self.console_host().revision)

    def test_a_console_that_moves_is_a_change_of_both_hosts(self) -> None:
        made = self.insert()
        other = self.add_console_host("console-2")
        consoles.move(self.database, made, self.host.id, other)
        self.assertEqual([(2, made, None)], self.changes(1))
        self.assertEqual([(1, made, made)], self.changes(0, other.id))

    def test_what_happens_to_a_server_happens_to_its_consoles(self) -> None:
        made = self.insert()
        update = servers.update
        for revision, values in enumerate(
            ({"instance_name": "new"}, {"compute_host": "compute-2"}), 1
        ):
            update(self.database, SERVER, values, [], [])
            self.assertEqual(
                [(revision + 1, made, made)], self.changes(revision)
            )
        [row] = console_changes.list_all(self.database, self.host.id)
        self.assertEqual(
            ("new", "compute-2"), (row.instance_name, row.compute_host)
        )
        update(self.database, SERVER, {"name": "new"}, [], [])
        self.assertEqual([], self.changes(3))
        update(self.database, SERVER, {"project_id": OTHER_PROJECT}, [], [])
        self.assertEqual([(4, made, None)], self.changes(3))

    def test_a_server_that_is_deleted_takes_its_console_along(self) -> None:
        made = self.insert()
        servers.delete(self.database, SERVER)
        self.assertEqual([(2, made, None)], self.changes(1))


class ListTest(ConsoleChangesCase):
    def setUp(self) -> None:
        super().setUp()
        self.made = [self.insert()]
        for number in (2, 3):
            self.add_server(server_id(number))
            self.made.append(self.insert(server_id(number)))

    def test_changes_come_in_order_and_only_those_after(self) -> None:
        first, second, third = self.made
        self.assertEqual(
            [(2, second, second), (3, third, third)], self.changes(1)
        )
        rows = console_changes.list_since(self.database, self.host.id, 0, 2)
        self.assertEqual([first, second], [row.console_id for row in rows])

    def test_an_agent_sees_all_that_it_needs(self) -> None:
        rows: list[Any] = [
            console_changes.list_since(self.database, self.host.id, 0, 1)[0],
            console_changes.list_all(self.database, self.host.id)[0],
        ]
        for row in rows:
            self.assertEqual(
                (SERVER, "instance-00000001", "encrypted", "compute-1"),
                (
                    row.server_id,
                    row.instance_name,
                    row.encrypted_password,
                    row.compute_host,
                ),
            )
            self.assertIn(row.port, range(5900, 5910))

    def test_another_host_sees_nothing(self) -> None:
        other = self.add_console_host("console-2")
        self.assertEqual([], self.changes(0, other.id))
        self.assertEqual([], console_changes.list_all(self.database, other.id))

    def test_changes_that_were_made_can_be_forgotten(self) -> None:
        console_changes.forget(self.database, self.host.id, 2)
        self.assertEqual([3], [row[0] for row in self.changes()])

    def test_a_host_is_deleted_with_its_changes(self) -> None:
        console_hosts.delete_with_consoles(self.database, "console-1", "vnc")
        self.assertEqual([], self.rows(tables.console_changes))
        self.assertEqual([], self.rows(tables.consoles))
