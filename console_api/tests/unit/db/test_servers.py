# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from unittest import mock

from console_api import errors
from console_api.db import consoles, rows, servers, tables
from console_api.db.servers import Endpoint, Server, ServerChanges
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER, server_id


def server(number: int, **endpoints: Endpoint) -> Server:
    return Server(
        uuid=server_id(number),
        project_id=base.PROJECT,
        name=f"server-{number}",
        instance_name=f"instance-{number}",
        compute_host=None,
        endpoints=endpoints,
    )


class ServersCase(base.DatabaseCase):
    def add_console(self, uuid: str, console_type: str = "vnc") -> None:
        """Put a console of a server on the console host of its type."""
        hosts = {row.console_type for row in self.rows(tables.console_hosts)}
        if console_type not in hosts:
            self.add_console_host(console_type=console_type)
        outcome = consoles.insert(
            self.database,
            self.console_host(console_type=console_type),
            base.new_console(uuid),
        )
        self.assertIs(consoles.Placed.DONE, outcome)


class GetTest(base.DatabaseCase):
    def test_server_has_its_endpoints(self) -> None:
        endpoints = {"vnc": {"port": 1}, "spice": {"port": 2}}
        stored = self.add_server(endpoints=endpoints)
        self.add_server(server_id(2), endpoints={"vnc": {"port": 3}})
        found = servers.get(self.database, SERVER)
        self.assertEqual(stored, found)
        self.assertEqual({"vnc", "spice"}, stored.endpoints.keys())

    def test_server_without_endpoints_is_found(self) -> None:
        stored = self.add_server(compute_host=None)
        self.assertEqual(stored, servers.get(self.database, SERVER))

    def test_unknown_server_is_none(self) -> None:
        self.add_server()
        self.assertIsNone(servers.get(self.database, UNKNOWN_SERVER))


class ListTest(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        servers.insert(self.database, [server(n) for n in (3, 1, 2)])

    def names(self, marker: str, limit: int) -> list[str]:
        found = servers.list_page(self.database, marker, limit)
        return [each.name for each in found]

    def test_pages_follow_each_other_by_uuid(self) -> None:
        self.assertEqual(["server-1", "server-2"], self.names("", 2))
        self.assertEqual(["server-3"], self.names(server_id(2), 2))
        self.assertEqual([], self.names(server_id(3), 2))


class InsertTest(base.DatabaseCase):
    def test_more_than_a_batch_is_stored(self) -> None:
        many = rows.BATCH_SIZE + 1
        servers.insert(
            self.database,
            [server(n, vnc=base.endpoint()) for n in range(many)],
        )
        self.assertEqual(many, len(self.rows(tables.servers)))
        self.assertEqual(many, len(self.rows(tables.server_endpoints)))

    def test_existing_server_prevents_all(self) -> None:
        last = rows.BATCH_SIZE
        servers.insert(self.database, [server(last)])
        with self.assertRaises(errors.AlreadyExists):
            servers.insert(self.database, [server(n) for n in range(last + 1)])
        self.assertEqual(1, len(self.rows(tables.servers)))

    def test_progress_counts_rows(self) -> None:
        many = rows.BATCH_SIZE + 1
        progress = mock.Mock()
        servers.insert(
            self.database,
            [
                server(0, vnc=base.endpoint()),
                *(server(n) for n in range(1, many)),
            ],
            progress,
        )
        self.assertEqual(
            [
                mock.call(done, many + 1)
                for done in (rows.BATCH_SIZE, many, many + 1)
            ],
            progress.call_args_list,
        )

    def test_no_servers_are_stored(self) -> None:
        servers.insert(self.database, [])
        self.assertEqual([], self.rows(tables.servers))


class ExistingTest(base.DatabaseCase):
    def test_only_stored_uuids_are_returned(self) -> None:
        many = rows.BATCH_SIZE + 2
        servers.insert(self.database, [server(n) for n in (0, 1, many - 1)])
        self.assertEqual(
            {server_id(0), server_id(1), server_id(many - 1)},
            servers.existing(
                self.database, [server_id(n) for n in range(many)]
            ),
        )
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

    def test_only_given_columns_change(self) -> None:
        self.assertTrue(
            servers.update(self.database, SERVER, {"name": "web"}, {})
        )
        one, two = self.rows(tables.servers)
        self.assertEqual(("web", "compute-1"), (one.name, one.compute_host))
        self.assertEqual("mail", two.name)
        self.assertEqual(["one", "two"], self.tokens())

    def test_no_changes_change_nothing(self) -> None:
        before = (self.rows(tables.servers), self.endpoints(), self.tokens())
        self.assertTrue(servers.update(self.database, SERVER, {}, {}))
        self.assertEqual(
            before,
            (self.rows(tables.servers), self.endpoints(), self.tokens()),
        )

    def test_endpoints_replace_those_of_their_protocols(self) -> None:
        servers.update(
            self.database,
            SERVER,
            {},
            {"vnc": base.endpoint(port=7), "rdp": base.endpoint(port=8)},
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
        servers.update(self.database, SERVER, {}, {}, ["vnc", "mks"])
        self.assertEqual(
            {(SERVER, "spice", 2), (server_id(2), "vnc", 3)}, self.endpoints()
        )

    def test_move_revokes_tokens(self) -> None:
        cases: Sequence[
            tuple[ServerChanges, dict[str, Endpoint], Sequence[str]]
        ] = (
            ({}, {"vnc": base.endpoint()}, ()),
            ({}, {}, ("spice",)),
            ({"compute_host": "compute-9"}, {}, ()),
            ({"project_id": base.OTHER_PROJECT}, {}, ()),
        )
        for changes, endpoints, removed in cases:
            with self.subTest(changes, removed=removed):
                servers.update(
                    self.database, SERVER, changes, endpoints, removed
                )
                self.assertEqual(["two"], self.tokens())
                self.add_token("one")

    def test_change_of_project_deletes_consoles(self) -> None:
        for uuid in (SERVER, server_id(2)):
            self.add_console(uuid)
        for project, expected in (
            (base.PROJECT, [SERVER, server_id(2)]),
            (base.OTHER_PROJECT, [server_id(2)]),
        ):
            with self.subTest(project):
                servers.update(
                    self.database, SERVER, {"project_id": project}, {}
                )
                self.assertEqual(
                    expected,
                    [row.server_id for row in self.rows(tables.consoles)],
                )
                self.assertCountsAreRight()

    def test_consoles_get_new_instance_name(self) -> None:
        for uuid in (SERVER, server_id(2)):
            self.add_console(uuid)
        servers.update(self.database, SERVER, {"instance_name": "renamed"}, {})
        self.assertEqual(
            ["renamed", "instance-00000002"],
            [row.instance_name for row in self.rows(tables.consoles)],
        )

    def test_unknown_server_is_reported(self) -> None:
        before = self.endpoints()
        self.assertFalse(
            servers.update(
                self.database,
                UNKNOWN_SERVER,
                {"name": "x"},
                {"vnc": base.endpoint()},
            )
        )
        self.assertEqual(before, self.endpoints())


class DeleteTest(ServersCase):
    def test_delete_removes_everything_of_the_server(self) -> None:
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

    def test_unknown_server_is_not_deleted(self) -> None:
        self.add_server()
        self.assertFalse(servers.delete(self.database, UNKNOWN_SERVER))
        self.assertEqual(1, len(self.rows(tables.servers)))

    def test_deleted_server_is_unknown(self) -> None:
        self.add_server()
        servers.delete(self.database, SERVER)
        self.assertFalse(servers.delete(self.database, SERVER))
