# SPDX-License-Identifier: Apache-2.0
from console_api.db import (
    console_changes,
    console_host_deletion,
    consoles,
    servers,
    tables,
)
from console_api.db.console_changes import AssignedConsole
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
            base.new_console(uuid),
        )
        return int(self.rows(tables.consoles)[-1].id)

    def changes(
        self, revision: int = 0, host_id: int | None = None
    ) -> list[tuple[int, int, int | None]]:
        """Return revision, changed console, and its ID if it exists."""
        changes = console_changes.list_since(
            self.database, host_id or self.host.id, revision, 99
        )
        return [
            (
                one.revision,
                one.console_id,
                None if one.console is None else one.console.id,
            )
            for one in changes
        ]


class RecordTest(ConsoleChangesCase):
    def test_console_has_revision_of_its_last_change(self) -> None:
        def revisions() -> list[tuple[int, int]]:
            return [
                (row.console_host_id, row.revision)
                for row in self.rows(tables.consoles)
            ]

        console_id = self.insert()
        self.assertEqual([(self.host.id, 1)], revisions())
        servers.update(self.database, SERVER, {"compute_host": "other"}, {})
        self.assertEqual([(self.host.id, 2)], revisions())
        other = self.add_console_host("console-2")
        consoles.move(self.database, console_id, self.host.id, other)
        self.assertEqual([(other.id, 1)], revisions())

    def test_create_is_recorded(self) -> None:
        console_id = self.insert()
        self.assertEqual([(1, console_id, console_id)], self.changes())
        self.assertEqual(1, self.console_host().revision)

    def test_delete_is_recorded(self) -> None:
        console_id = self.insert()
        consoles.delete(self.database, SERVER, console_id)
        self.assertEqual([(2, console_id, None)], self.changes(1))

    def test_statements_without_effect_are_not_recorded(self) -> None:
        self.insert()
        self.insert()
        consoles.delete(self.database, SERVER, 999)
        self.assertEqual(1, len(self.changes()))
        self.assertEqual(1, self.console_host().revision)

    def test_move_is_recorded_for_both_hosts(self) -> None:
        console_id = self.insert()
        other = self.add_console_host("console-2")
        consoles.move(self.database, console_id, self.host.id, other)
        self.assertEqual([(2, console_id, None)], self.changes(1))
        self.assertEqual(
            [(1, console_id, console_id)], self.changes(0, other.id)
        )

    def test_server_update_is_recorded_if_agents_need_it(self) -> None:
        console_id = self.insert()
        update = servers.update
        changes: tuple[servers.ServerChanges, ...] = (
            {"instance_name": "new"},
            {"compute_host": "compute-2"},
        )
        for revision, values in enumerate(changes, 1):
            update(self.database, SERVER, values, {})
            self.assertEqual(
                [(revision + 1, console_id, console_id)],
                self.changes(revision),
            )
        [row] = console_changes.list_all(self.database, self.host.id)
        self.assertEqual(
            ("new", "compute-2"), (row.instance_name, row.compute_host)
        )
        update(self.database, SERVER, {"name": "new"}, {})
        self.assertEqual([], self.changes(3))
        update(self.database, SERVER, {"project_id": OTHER_PROJECT}, {})
        self.assertEqual([(4, console_id, None)], self.changes(3))

    def test_server_delete_is_recorded(self) -> None:
        console_id = self.insert()
        servers.delete(self.database, SERVER)
        self.assertEqual([(2, console_id, None)], self.changes(1))


class ListTest(ConsoleChangesCase):
    def setUp(self) -> None:
        super().setUp()
        self.consoles = [self.insert()]
        for number in (2, 3):
            self.add_server(server_id(number))
            self.consoles.append(self.insert(server_id(number)))

    def test_changes_after_revision_are_ordered_and_limited(self) -> None:
        first, second, third = self.consoles
        self.assertEqual(
            [(2, second, second), (3, third, third)], self.changes(1)
        )
        rows = console_changes.list_since(self.database, self.host.id, 0, 2)
        self.assertEqual([first, second], [row.console_id for row in rows])

    def test_consoles_have_all_columns_for_agents(self) -> None:
        [change] = console_changes.list_since(
            self.database, self.host.id, 0, 1
        )
        console, *_ = console_changes.list_all(self.database, self.host.id)
        self.assertEqual(
            AssignedConsole(
                self.consoles[0],
                SERVER,
                "instance-00000001",
                console.port,
                "encrypted",
                "compute-1",
                None,
            ),
            console,
        )
        self.assertIn(console.port, range(5900, 5910))
        self.assertEqual(console, change.console)

    def test_expired_console_is_not_assigned(self) -> None:
        expired = self.consoles[0]
        self.expire_console(expired)
        listed = console_changes.list_all(self.database, self.host.id)
        self.assertEqual(self.consoles[1:], [console.id for console in listed])
        self.assertEqual((1, expired, None), self.changes(0)[0])

    def test_other_host_has_no_changes(self) -> None:
        other = self.add_console_host("console-2")
        self.assertEqual([], self.changes(0, other.id))
        self.assertEqual([], console_changes.list_all(self.database, other.id))

    def test_prune_deletes_changes_up_to_revision(self) -> None:
        console_changes.prune(self.database, self.host.id, 2)
        self.assertEqual([3], [row[0] for row in self.changes()])

    def test_host_delete_includes_changes(self) -> None:
        console_host_deletion.delete_with_consoles(
            self.database, "console-1", "vnc"
        )
        self.assertEqual([], self.rows(tables.console_changes))
        self.assertEqual([], self.rows(tables.consoles))
