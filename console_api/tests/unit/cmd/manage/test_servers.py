# SPDX-License-Identifier: Apache-2.0
import uuid
from typing import Any
from unittest import mock

from console_api.cmd.manage import servers
from console_api.db import console_auth_tokens, consoles, tables
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER, server_id
from console_api.tests.unit.cmd.manage.base import ManageCase

VNC = "protocol=vnc,host=192.0.2.1,port=5900"

STORED_VNC = {
    "protocol": "vnc",
    "host": "192.0.2.1",
    "port": 5900,
    "tls_port": None,
    "internal_access_path": None,
}


class ServersCase(ManageCase):
    def show(self, server: str = SERVER) -> Any:
        return self.manage("server", "show", server, "-f", "json").json

    def create(self, *arguments: str) -> Any:
        return self.manage("server", "create", *arguments, "-f", "json").json


class CreateTest(ServersCase):
    def test_optional_values_have_defaults(self) -> None:
        made = self.create("web", "--project", "p")
        self.assertEqual(made["uuid"], str(uuid.UUID(made["uuid"])))
        self.assertEqual(
            {
                "uuid": made["uuid"],
                "name": "web",
                "project_id": "p",
                "compute_host": None,
                "instance_name": "web",
                "endpoints": [],
            },
            made,
        )
        self.assertEqual(made, self.show(made["uuid"]))

    def test_given_values_are_stored(self) -> None:
        spice = "protocol=spice,host=h,port=1,tls_port=2"
        made = self.create(
            *("web", "--uuid", SERVER, "--project", "p"),
            *("--instance-name", "i", "--compute-host", "c"),
            *("--endpoint", VNC, "--endpoint", spice),
        )
        self.assertEqual(
            (SERVER, "i", "c"),
            (made["uuid"], made["instance_name"], made["compute_host"]),
        )
        self.assertEqual(2, len(made["endpoints"]))
        self.assertIn(STORED_VNC, made["endpoints"])

    def test_tables_show_endpoints_as_options_take_them(self) -> None:
        outcome = self.manage(
            *("server", "create", "web", "--project", "p", "--endpoint", VNC)
        )
        self.assertIn(f"| {VNC} ", outcome.stdout)

    def test_existing_uuid_is_refused(self) -> None:
        self.add_server()
        self.assertRefused(
            "Change it with `server set`",
            *("server", "create", "x", "--project", "p", "--uuid", SERVER),
        )

    def test_invalid_arguments_store_nothing(self) -> None:
        for arguments, problem in (
            (("x",), "--project"),
            (("--project", "p"), "NAME"),
            (("", "--project", "p"), "argument NAME: must not be empty"),
            (("x", "--project", ""), "argument --project: must not be"),
            (("x", "--project", "p", "--uuid", "X"), "argument --uuid: must"),
            (("x\n", "--project", "p"), "argument NAME: must not contain"),
            (
                ("x", "--project", "p", "--compute-host", "a b"),
                "argument --compute-host: must not contain whitespace",
            ),
            (
                ("x", "--project", "p", "--endpoint", "protocol=vnc"),
                "argument --endpoint: must have host=",
            ),
            (
                ("x", "--project", "p", "--endpoint", VNC, "--endpoint", VNC),
                "Use --endpoint only once for vnc",
            ),
        ):
            with self.subTest(problem):
                self.assertRefused(
                    problem, "server", "create", *arguments, status=2
                )
        self.assertEqual([], self.rows(tables.servers))


class SetTest(ServersCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_server(endpoints={"vnc": {}, "rdp": {}})

    def set(self, *arguments: str) -> Any:
        outcome = self.manage("server", "set", SERVER, *arguments)
        self.assertEqual("", outcome.stdout)
        return self.show()

    def test_set_changes_only_given_value(self) -> None:
        for option, key in (
            ("--name", "name"),
            ("--project", "project_id"),
            ("--instance-name", "instance_name"),
            ("--compute-host", "compute_host"),
        ):
            with self.subTest(option):
                before = self.show()
                self.assertEqual(
                    {**before, key: "new"}, self.set(option, "new")
                )

    def test_no_compute_host_removes_it(self) -> None:
        self.assertIsNone(self.set("--no-compute-host")["compute_host"])

    def test_endpoints_are_replaced_and_removed_by_protocol(self) -> None:
        after = self.set("--endpoint", VNC, "--no-endpoint", "rdp")
        self.assertEqual([STORED_VNC], after["endpoints"])

    def test_tokens_are_revoked_if_owner_or_location_changes(self) -> None:
        for arguments, left in (
            (("--name", "new"), 1),
            (("--project", "other"), 0),
            (("--compute-host", "other"), 0),
            (("--no-compute-host",), 0),
            (("--endpoint", VNC), 0),
            (("--no-endpoint", "vnc"), 0),
        ):
            with self.subTest(arguments=arguments):
                self.add_token("x" * 64)
                self.set(*arguments)
                tokens = self.rows(tables.console_auth_tokens)
                self.assertEqual(left, len(tokens))
                console_auth_tokens.delete(self.database, "x" * 64)

    def test_contradicting_arguments_are_refused(self) -> None:
        for arguments, problem in (
            ((), "Nothing to change"),
            (("--compute-host", "c", "--no-compute-host"), "Use either"),
            (("--endpoint", VNC, "--no-endpoint", "vnc"), "Use either"),
            (("--endpoint", VNC, "--endpoint", VNC), "only once for vnc"),
            (("--no-endpoint", "ssh"), "invalid choice: 'ssh'"),
            (("--name", ""), "--name: must not be empty"),
        ):
            with self.subTest(arguments=arguments):
                self.assertRefused(
                    problem, "server", "set", SERVER, *arguments, status=2
                )

    def test_unknown_server_is_named(self) -> None:
        self.assertRefused(
            f"Server {UNKNOWN_SERVER} could not be found",
            *("server", "set", UNKNOWN_SERVER, "--name", "x"),
        )


class ListTest(ServersCase):
    def test_all_pages_are_listed_in_order(self) -> None:
        for number in (3, 1, 2, 5, 4):
            self.add_server(server_id(number), name=f"n{number}")
        with mock.patch.object(servers, "_PAGE_SIZE", 2):
            found = self.manage("server", "list", "-f", "json").json
        self.assertEqual(
            ["n1", "n2", "n3", "n4", "n5"], [row["name"] for row in found]
        )

    def test_list_has_no_endpoints(self) -> None:
        self.add_server(endpoints={"vnc": {}})
        outcome = self.manage("server", "list", "-f", "json")
        self.assertEqual(
            ["uuid", "name", "project_id", "compute_host", "instance_name"],
            list(outcome.json[0]),
        )

    def test_unknown_columns_are_refused_with_the_known_ones(self) -> None:
        self.assertRefused(
            "Unknown columns: color, x. Choose from: uuid, name, project_id, ",
            *("server", "list", "-c", "color", "-c", "x"),
        )
        for options in (
            ("-c", "name", "-c", "x"),
            ("--sort-column", "x"),
        ):
            self.assertRefused(
                "Unknown columns: x.", "server", "list", *options
            )
        self.add_server()
        one = self.manage(
            *("server", "list", "-f", "csv", "-c", "Project ID"),
            *("--sort-column", "Name"),
        )
        self.assertEqual('"project_id"', one.stdout.splitlines()[0])

    def test_list_without_servers_is_empty(self) -> None:
        self.assertEqual([], self.manage("server", "list", "-f", "json").json)


class ShowTest(ServersCase):
    def test_unknown_server_is_named(self) -> None:
        self.assertRefused(
            f"Server {UNKNOWN_SERVER} could not be found",
            *("server", "show", UNKNOWN_SERVER),
        )

    def test_invalid_uuid_is_refused(self) -> None:
        self.assertRefused(
            "argument UUID: must be a UUID", "server", "show", "x", status=2
        )


class DeleteTest(ServersCase):
    def test_delete_removes_consoles_and_endpoints(self) -> None:
        host = self.add_console_host()
        for number in (1, 2, 3):
            self.add_server(server_id(number), endpoints={"vnc": {}})
            consoles.insert(
                self.database,
                host,
                base.new_console(server_id(number)),
            )
        self.manage("server", "delete", server_id(1), server_id(3))
        for table in (tables.consoles, tables.server_endpoints):
            self.assertEqual(
                [server_id(2)], [row.server_id for row in self.rows(table)]
            )
        self.assertCountsAreRight()

    def test_unknown_servers_are_named_and_others_deleted(self) -> None:
        self.add_server()
        outcome = self.assertRefused(
            f"Servers not found: '{UNKNOWN_SERVER}', 'x\\n'.",
            *("server", "delete", UNKNOWN_SERVER, SERVER, "x\n"),
        )
        self.assertNotIn(SERVER, outcome.stderr)
        self.assertEqual([], self.rows(tables.servers))

    def test_repeated_uuid_is_deleted_once(self) -> None:
        self.add_server()
        self.manage("server", "delete", SERVER, SERVER)
