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
    def test_a_console_gets_a_port_of_the_range(self) -> None:
        host = self.add_console_host(min_port=5905, max_port=5905)
        self.assertIs(Placed.DONE, self.insert(host))
        self.assertEqual([(SERVER, "vnc", host.id, 5905)], self.stored())
        self.assertEqual(1, self.console_host().console_count)

    def test_it_has_the_name_that_its_server_has_by_then(self) -> None:
        servers.update(self.database, SERVER, {"instance_name": "renamed"}, {})
        self.insert(self.add_console_host())
        [row] = self.rows(tables.consoles)
        self.assertEqual("renamed", row.instance_name)

    def test_consoles_of_a_host_get_different_ports(self) -> None:
        host = self.add_console_host(min_port=5900, max_port=5909)
        for number in range(2, 12):
            self.add_server(server_id(number))
            self.assertIs(Placed.DONE, self.insert(host, server_id(number)))
            self.assertCountsAreRight()
        self.assertEqual(
            set(range(5900, 5910)), {row[3] for row in self.stored()}
        )

    def test_consoles_of_a_multiplexed_host_have_no_port_of_their_own(
        self,
    ) -> None:
        host = self.add_console_host(
            min_port=None, max_port=None, multiplex_port=9
        )
        self.add_server(server_id(2))
        for uuid in (SERVER, server_id(2)):
            self.assertIs(Placed.DONE, self.insert(host, uuid))
        self.assertEqual([None, None], [row[3] for row in self.stored()])

    def test_a_full_host_has_no_room(self) -> None:
        host = self.add_console_host(min_port=5900, max_port=5900)
        self.add_server(server_id(2))
        self.insert(host)
        self.assertIs(Placed.NO_ROOM, self.insert(host, server_id(2)))
        self.assertEqual(1, len(self.stored()))

    def test_the_second_of_two_for_one_server_and_type_is_overtaken(
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

    def test_a_server_has_one_console_of_each_type(self) -> None:
        for console_type in ("vnc", "vnc+xvp"):
            host = self.add_console_host(console_type=console_type)
            self.assertIs(Placed.DONE, self.insert(host))
        self.assertEqual(["vnc", "vnc+xvp"], [row[1] for row in self.stored()])

    def test_a_server_that_is_gone_gets_none(self) -> None:
        host = self.add_console_host()
        self.assertIs(Placed.SERVER_GONE, self.insert(host, UNKNOWN_SERVER))
        self.assertEqual([], self.stored())

    def test_a_lost_deadlock_is_not_the_end(self) -> None:
        host = self.add_console_host()
        lost = db_exc.DBDeadlock(Exception("deadlock"))
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

    def test_it_takes_type_and_port_of_its_new_host(self) -> None:
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

    def test_a_full_host_has_no_room_and_nothing_changes(self) -> None:
        new = self.add_console_host("new", min_port=7000, max_port=7000)
        self.add_server(server_id(2))
        self.insert(new, server_id(2))
        before = self.stored()
        self.assertIs(Placed.NO_ROOM, self.move(new))
        self.assertEqual(before, self.stored())

    def test_one_moved_meanwhile_is_left_where_it_is(self) -> None:
        first = self.add_console_host("first")
        second = self.add_console_host("second")
        self.move(first)
        self.assertIs(Placed.OVERTAKEN, self.move(second))
        self.assertEqual(first.id, self.stored()[0][2])
        self.assertEqual(0, self.console_host("second").console_count)

    def test_one_deleted_meanwhile_is_not_counted(self) -> None:
        new = self.add_console_host("new")
        consoles.delete(self.database, SERVER, self.console.id)
        self.assertIs(Placed.OVERTAKEN, self.move(new))
        self.assertEqual([], self.stored())

    def test_it_does_not_become_a_second_one_of_a_type(self) -> None:
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

    def test_pages_of_a_server_follow_each_other_by_id(self) -> None:
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

    def test_where_consoles_are_is_told_with_what_their_hosts_serve(
        self,
    ) -> None:
        found = consoles.placed_of_server(self.database, SERVER)
        self.assertEqual(set(self.ids), {row.id for row in found})
        self.assertEqual(
            {("compute-*",)}, {row.compute_hosts for row in found}
        )

    def test_a_console_comes_with_public_host_name_and_port(self) -> None:
        row = consoles.get(self.database, SERVER, self.ids[0])
        assert row is not None
        self.assertEqual("console-1.example.org", row.public_hostname)
        self.assertIn(row.port, range(5900, 5910))
        self.assertEqual("encrypted", row.encrypted_password)

    def test_a_console_of_another_server_is_not_there(self) -> None:
        for uuid, console_id in (
            (server_id(2), self.ids[0]),
            (UNKNOWN_SERVER, self.ids[0]),
            (SERVER, 10**17),
        ):
            with self.subTest(uuid=uuid, console_id=console_id):
                self.assertIsNone(
                    consoles.get(self.database, uuid, console_id)
                )

    def test_a_multiplexed_console_has_the_port_of_its_host(self) -> None:
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
