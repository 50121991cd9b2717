# SPDX-License-Identifier: Apache-2.0
from typing import Any

from console_api import errors
from console_api.db import consoles, servers, tables
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER, server_id


def row(number: int, **values: Any) -> dict[str, Any]:
    return {
        "uuid": server_id(number),
        "project_id": base.PROJECT,
        "name": f"server-{number}",
        "instance_name": f"instance-{number}",
        "compute_host": None,
        **values,
    }


class ServersCase(base.DatabaseCase):
    def add_console(self, uuid: str, console_type: str = "vnc") -> None:
        """Put a console of a server on the console host of its type."""
        hosts = {row.console_type for row in self.rows(tables.console_hosts)}
        if console_type not in hosts:
            self.add_console_host(console_type=console_type)
        outcome = consoles.insert(
            self.database,
            self.console_host(console_type=console_type),
            {
                "server_id": uuid,
                "instance_name": "x",
                "encrypted_password": "x",
                "created_at": 1,
            },
        )
        self.assertIs(consoles.Placed.DONE, outcome)


class GetTest(base.DatabaseCase):
    def test_there_is_one_row_an_endpoint(self) -> None:
        self.add_server(endpoints={"vnc": {"port": 1}, "spice": {"port": 2}})
        self.add_server(server_id(2), endpoints={"vnc": {"port": 3}})
        found = servers.get(self.database, SERVER)
        self.assertEqual(
            {("vnc", 1), ("spice", 2)},
            {(each.protocol, each.port) for each in found},
        )
        self.assertEqual({SERVER}, {each.uuid for each in found})

    def test_a_server_without_endpoints_has_one_row_of_nulls(self) -> None:
        self.add_server()
        [found] = servers.get(self.database, SERVER)
        self.assertEqual("mail", found.name)
        self.assertIsNone(found.protocol)

    def test_an_unknown_server_has_no_row(self) -> None:
        self.add_server()
        self.assertEqual([], servers.get(self.database, UNKNOWN_SERVER))


class ListTest(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        servers.insert(self.database, [row(n) for n in (3, 1, 2)], [])

    def names(self, marker: str, limit: int) -> list[str]:
        found = servers.list_page(self.database, marker, limit)
        return [each.name for each in found]

    def test_pages_follow_each_other_by_uuid(self) -> None:
        self.assertEqual(["server-1", "server-2"], self.names("", 2))
        self.assertEqual(["server-3"], self.names(server_id(2), 2))
        self.assertEqual([], self.names(server_id(3), 2))


class InsertTest(base.DatabaseCase):
    def test_more_than_a_batch_is_stored_at_once(self) -> None:
        many = servers._BATCH + 1
        servers.insert(
            self.database,
            [row(n) for n in range(many)],
            [base.endpoint("vnc", server_id(n)) for n in range(many)],
        )
        self.assertEqual(many, len(self.rows(tables.servers)))
        self.assertEqual(many, len(self.rows(tables.server_endpoints)))

    def test_nothing_is_stored_when_one_is_there_already(self) -> None:
        last = servers._BATCH
        servers.insert(self.database, [row(last)], [])
        with self.assertRaises(errors.AlreadyExists):
            servers.insert(
                self.database, [row(n) for n in range(last + 1)], []
            )
        self.assertEqual(1, len(self.rows(tables.servers)))

    def test_progress_is_told_in_rows_written_until_then(self) -> None:
        many = servers._BATCH + 1
        told: list[int] = []
        servers.insert(
            self.database,
            [row(n) for n in range(many)],
            [base.endpoint("vnc", server_id(0))],
            told.append,
        )
        self.assertEqual([servers._BATCH, many, many + 1], told)

    def test_nothing_is_no_trouble(self) -> None:
        servers.insert(self.database, [], [])
        self.assertEqual([], self.rows(tables.servers))


class ExistingTest(base.DatabaseCase):
    def test_those_stored_are_told_from_the_rest(self) -> None:
        many = servers._BATCH + 2
        servers.insert(self.database, [row(n) for n in (0, 1, many - 1)], [])
        self.assertEqual(
            {server_id(0), server_id(1), server_id(many - 1)},
            servers.existing(
                self.database, [server_id(n) for n in range(many)]
            ),
        )

    def test_of_none_there_are_none(self) -> None:
        self.assertEqual(set(), servers.existing(self.database, []))


class UpdateTest(ServersCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_server(endpoints={"vnc": {"port": 1}, "spice": {"port": 2}})
        self.add_server(server_id(2), endpoints={"vnc": {"port": 3}})
        for hashed, uuid in (("one", SERVER), ("two", server_id(2))):
            self.add_token(hashed, uuid)

    def endpoints(self) -> set[tuple[str, str, int]]:
        return {
            (each.server_id, each.protocol, each.port)
            for each in self.rows(tables.server_endpoints)
        }

    def tokens(self) -> list[str]:
        return [
            each.token_hash for each in self.rows(tables.console_auth_tokens)
        ]

    def test_the_values_given_are_changed_and_no_others(self) -> None:
        self.assertTrue(
            servers.update(self.database, SERVER, {"name": "web"}, [], [])
        )
        one, two = self.rows(tables.servers)
        self.assertEqual(("web", "compute-1"), (one.name, one.compute_host))
        self.assertEqual("mail", two.name)
        self.assertEqual(["one", "two"], self.tokens())

    def test_nothing_to_change_changes_nothing(self) -> None:
        before = (self.rows(tables.servers), self.endpoints(), self.tokens())
        self.assertTrue(servers.update(self.database, SERVER, {}, [], []))
        self.assertEqual(
            before,
            (self.rows(tables.servers), self.endpoints(), self.tokens()),
        )

    def test_endpoints_given_replace_those_of_their_protocol(self) -> None:
        servers.update(
            self.database,
            SERVER,
            {},
            [
                {**base.endpoint("vnc"), "port": 7},
                {**base.endpoint("rdp"), "port": 8},
            ],
            [],
        )
        self.assertEqual(
            {
                (SERVER, "vnc", 7),
                (SERVER, "spice", 2),
                (SERVER, "rdp", 8),
                (server_id(2), "vnc", 3),
            },
            self.endpoints(),
        )

    def test_endpoints_are_removed(self) -> None:
        servers.update(self.database, SERVER, {}, [], ["vnc", "mks"])
        self.assertEqual(
            {(SERVER, "spice", 2), (server_id(2), "vnc", 3)}, self.endpoints()
        )

    def test_tokens_to_where_the_server_was_are_revoked(self) -> None:
        for values, endpoints, removed in (
            ({}, [base.endpoint("vnc")], []),
            ({}, [], ["spice"]),
            ({"compute_host": "compute-9"}, [], []),
            ({"project_id": base.OTHER_PROJECT}, [], []),
        ):
            with self.subTest(values, removed=removed):
                servers.update(
                    self.database, SERVER, values, endpoints, removed
                )
                self.assertEqual(["two"], self.tokens())
                self.add_token("one")

    def test_its_consoles_do_not_follow_it_to_another_project(self) -> None:
        for uuid in (SERVER, server_id(2)):
            self.add_console(uuid)
        for project, expected in (
            (base.PROJECT, [SERVER, server_id(2)]),
            (base.OTHER_PROJECT, [server_id(2)]),
        ):
            with self.subTest(project):
                servers.update(
                    self.database, SERVER, {"project_id": project}, [], []
                )
                self.assertEqual(
                    expected,
                    [row.server_id for row in self.rows(tables.consoles)],
                )
                self.assertCountsAreRight()

    def test_its_consoles_take_its_new_name_on_the_hypervisor(self) -> None:
        for uuid in (SERVER, server_id(2)):
            self.add_console(uuid)
        servers.update(
            self.database, SERVER, {"instance_name": "renamed"}, [], []
        )
        self.assertEqual(
            ["renamed", "instance-00000002"],
            [row.instance_name for row in self.rows(tables.consoles)],
        )

    def test_an_unknown_server_is_reported_and_nothing_stored(self) -> None:
        before = self.endpoints()
        self.assertFalse(
            servers.update(
                self.database,
                UNKNOWN_SERVER,
                {"name": "x"},
                [base.endpoint("vnc", UNKNOWN_SERVER)],
                [],
            )
        )
        self.assertEqual(before, self.endpoints())


class DeleteTest(ServersCase):
    def test_all_that_hangs_on_the_server_goes_and_nothing_else(self) -> None:
        for uuid in (SERVER, server_id(2)):
            self.add_server(uuid, endpoints={"vnc": {}})
            self.add_token(uuid, uuid)
            for console_type in ("vnc", "vnc+xvp"):
                self.add_console(uuid, console_type)
        self.assertTrue(servers.delete(self.database, SERVER))
        for table, expected in (
            (tables.servers, 1),
            (tables.server_endpoints, 1),
            (tables.console_auth_tokens, 1),
            (tables.consoles, 2),
        ):
            with self.subTest(table.name):
                rows = self.rows(table)
                self.assertEqual(expected, len(rows))
                self.assertIn(server_id(2), rows[0])
        self.assertCountsAreRight()

    def test_an_unknown_server_is_reported(self) -> None:
        self.add_server()
        self.assertFalse(servers.delete(self.database, UNKNOWN_SERVER))
        self.assertEqual(1, len(self.rows(tables.servers)))

    def test_a_second_time_it_is_unknown(self) -> None:
        self.add_server()
        servers.delete(self.database, SERVER)
        self.assertFalse(servers.delete(self.database, SERVER))
