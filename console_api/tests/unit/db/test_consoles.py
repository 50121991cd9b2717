# SPDX-License-Identifier: Apache-2.0
from unittest import mock

from oslo_db import exception as db_exc

from console_api.db import console_counts, consoles, servers, tables
from console_api.db.console_hosts import ConsoleHostRow
from console_api.db.consoles import Placed
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER, server_id


class ConsolesCase(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_server()
        self.addCleanup(self.assertCountsAreRight)

    def insert(self, host: ConsoleHostRow, uuid: str = SERVER) -> Placed:
        return consoles.insert(
            self.database,
            host,
            base.new_console(uuid),
        )

    def stored(self) -> list[tuple[str, str, int, int | None]]:
        return [
            (
                row.server_id,
                row.console_type,
                row.console_host_id,
                row.port,
            )
            for row in self.rows(tables.consoles)
        ]


class InsertTest(ConsolesCase):
    def test_console_gets_port_of_range(self) -> None:
        host = self.add_console_host(min_port=5905, max_port=5905)
        self.assertIs(Placed.DONE, self.insert(host))
        self.assertEqual([(SERVER, "vnc", host.id, 5905)], self.stored())
        self.assertEqual(1, self.console_host().console_count)

    def test_console_gets_current_instance_name(self) -> None:
        servers.update(self.database, SERVER, {"instance_name": "renamed"}, {})
        self.insert(self.add_console_host())
        [row] = self.rows(tables.consoles)
        self.assertEqual("renamed", row.instance_name)

    def test_ports_on_a_host_are_unique(self) -> None:
        host = self.add_console_host(min_port=5900, max_port=5909)
        for number in range(2, 12):
            self.add_server(server_id(number))
            self.assertIs(Placed.DONE, self.insert(host, server_id(number)))
            self.assertCountsAreRight()
        self.assertEqual(
            set(range(5900, 5910)), {row[3] for row in self.stored()}
        )

    def test_console_on_multiplexed_host_has_no_port(
        self,
    ) -> None:
        host = self.add_console_host(
            min_port=None, max_port=None, multiplex_port=9
        )
        self.add_server(server_id(2))
        for uuid in (SERVER, server_id(2)):
            self.assertIs(Placed.DONE, self.insert(host, uuid))
        self.assertEqual([None, None], [row[3] for row in self.stored()])

    def test_full_host_has_no_room(self) -> None:
        host = self.add_console_host(min_port=5900, max_port=5900)
        self.add_server(server_id(2))
        self.insert(host)
        self.assertIs(Placed.NO_ROOM, self.insert(host, server_id(2)))
        self.assertEqual(1, len(self.stored()))

    def test_second_console_of_type_is_overtaken(
        self,
    ) -> None:
        one = self.add_console_host()
        two = self.add_console_host("console-2")
        self.insert(one)
        for host in (one, two):
            with self.subTest(host.host):
                self.assertIs(Placed.OVERTAKEN, self.insert(host))
                self.assertEqual(1, len(self.stored()))
                self.assertCountsAreRight()

    def test_server_has_one_console_of_each_type(self) -> None:
        for console_type in ("vnc", "vnc+xvp"):
            host = self.add_console_host(console_type=console_type)
            self.assertIs(Placed.DONE, self.insert(host))
        self.assertEqual(["vnc", "vnc+xvp"], [row[1] for row in self.stored()])

    def test_deleted_server_gets_no_console(self) -> None:
        host = self.add_console_host()
        self.assertIs(Placed.SERVER_GONE, self.insert(host, UNKNOWN_SERVER))
        self.assertEqual([], self.stored())

    def test_insert_is_retried_after_deadlock(self) -> None:
        host = self.add_console_host()
        lost = db_exc.DBDeadlock(Exception(1213, "deadlock"))
        with (
            mock.patch("oslo_db.api.time.sleep"),
            mock.patch.object(
                console_counts,
                "add_console",
                side_effect=[lost, lost, True],
            ),
        ):
            self.assertIs(Placed.DONE, self.insert(host))
        with self.database.transaction() as connection:
            console_counts.add_console(connection, host)


class MoveTest(ConsolesCase):
    def setUp(self) -> None:
        super().setUp()
        self.old = self.add_console_host("old")
        self.insert(self.old)
        [self.console] = self.rows(tables.consoles)

    def move(self, host: ConsoleHostRow) -> Placed:
        return consoles.move(self.database, self.console.id, self.old.id, host)

    def test_moved_console_gets_type_and_port_of_new_host(self) -> None:
        new = self.add_console_host(
            "new", console_type="vnc+xvp", min_port=7000, max_port=7000
        )
        self.assertIs(Placed.DONE, self.move(new))
        self.assertEqual([(SERVER, "vnc+xvp", new.id, 7000)], self.stored())
        [row] = self.rows(tables.consoles)
        self.assertEqual(
            (self.console.id, "encrypted", "instance-00000001"),
            (row.id, row.encrypted_password, row.instance_name),
        )
        self.assertEqual(0, self.console_host("old").console_count)
        self.assertEqual(1, self.console_host("new", "vnc+xvp").console_count)

    def test_move_to_full_host_changes_nothing(self) -> None:
        new = self.add_console_host("new", min_port=7000, max_port=7000)
        self.add_server(server_id(2))
        self.insert(new, server_id(2))
        before = self.stored()
        self.assertIs(Placed.NO_ROOM, self.move(new))
        self.assertEqual(before, self.stored())

    def test_console_moved_concurrently_is_not_moved_again(self) -> None:
        first = self.add_console_host("first")
        second = self.add_console_host("second")
        self.move(first)
        self.assertIs(Placed.OVERTAKEN, self.move(second))
        self.assertEqual(first.id, self.stored()[0][2])
        self.assertEqual(0, self.console_host("second").console_count)

    def test_console_deleted_concurrently_is_not_counted(self) -> None:
        new = self.add_console_host("new")
        consoles.delete(self.database, SERVER, self.console.id)
        self.assertIs(Placed.OVERTAKEN, self.move(new))
        self.assertEqual([], self.stored())

    def test_move_cannot_cause_second_console_of_type(self) -> None:
        other = self.add_console_host("other", console_type="vnc+xvp")
        self.insert(other)
        new = self.add_console_host("new", console_type="vnc+xvp")
        before = self.stored()
        self.assertIs(Placed.OVERTAKEN, self.move(new))
        self.assertEqual(before, self.stored())


class ReadTest(ConsolesCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_server(server_id(2))
        for console_type in ("mks", "vnc", "vnc+xvp"):
            host = self.add_console_host(console_type=console_type)
            self.insert(host)
            self.insert(host, server_id(2))
        self.ids = [
            row.id
            for row in self.rows(tables.consoles)
            if row.server_id == SERVER
        ]

    def list_ids(self, marker: int, limit: int) -> list[int]:
        return [
            row.id
            for row in consoles.list_of_server(
                self.database, SERVER, marker, limit
            )
        ]

    def test_pages_follow_each_other_by_id(self) -> None:
        one, two, three = self.ids
        for marker, limit, expected in (
            (0, 9, [one, two, three]),
            (0, 2, [one, two]),
            (two, 2, [three]),
            (three, 2, []),
            (0, 0, []),
        ):
            with self.subTest(marker=marker, limit=limit):
                self.assertEqual(expected, self.list_ids(marker, limit))

    def test_placed_consoles_have_their_hosts(self) -> None:
        found = consoles.placed_of_server(self.database, SERVER)
        self.assertEqual(
            {
                (row.id, row.console_host_id)
                for row in self.rows(tables.consoles)
                if row.server_id == SERVER
            },
            {(row.id, row.console_host_id) for row in found},
        )

    def test_console_has_public_hostname_and_port(self) -> None:
        row = consoles.get(self.database, SERVER, self.ids[0])
        assert row is not None
        self.assertEqual("console-1.example.org", row.public_hostname)
        self.assertIn(row.port, range(5900, 5910))
        self.assertEqual("encrypted", row.encrypted_password)

    def test_console_of_other_server_is_none(self) -> None:
        for uuid, console_id in (
            (server_id(2), self.ids[0]),
            (UNKNOWN_SERVER, self.ids[0]),
            (SERVER, 10**17),
        ):
            with self.subTest(uuid=uuid, console_id=console_id):
                self.assertIsNone(
                    consoles.get(self.database, uuid, console_id)
                )

    def test_multiplexed_console_has_port_of_host(self) -> None:
        host = self.add_console_host(
            "mux",
            console_type="mux",
            min_port=None,
            max_port=None,
            multiplex_port=443,
        )
        self.insert(host)
        console_id = self.rows(tables.consoles)[-1].id
        row = consoles.get(self.database, SERVER, console_id)
        assert row is not None
        self.assertEqual(443, row.port)
