# SPDX-License-Identifier: Apache-2.0
import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

from console_api import errors
from console_api.db import servers, tables
from console_api.directory import records
from console_api.directory.base import Endpoint, Server
from console_api.directory.database import DatabaseDirectory
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER

LEARNED = Server(
    uuid=SERVER,
    project_id=base.PROJECT,
    name="mail",
    instance_name="instance-00000001",
    compute_host="compute-1",
    endpoints={
        "vnc": Endpoint("192.0.2.10", 5901),
        "spice": Endpoint("192.0.2.10", 5902, 5903, "/path"),
    },
)


class KeepTest(base.DatabaseCase):
    def keep(self, **changes: object) -> Server:
        server = dataclasses.replace(LEARNED, **changes)  # type: ignore[arg-type]
        records.keep(self.database, server)
        return server

    def known(self) -> Server:
        return DatabaseDirectory(self.database).get(SERVER)

    def test_a_new_server_is_inserted_with_its_endpoints(self) -> None:
        self.assertEqual(self.keep(), self.known())

    def test_any_change_is_stored(self) -> None:
        self.keep()
        changes: dict[str, Any]
        for changes in (
            {"name": "web"},
            {"compute_host": None},
            {"compute_host": "compute-2", "instance_name": "i-2"},
            {"project_id": base.OTHER_PROJECT},
            {"endpoints": {"vnc": Endpoint("192.0.2.11", 5901)}},
            {"endpoints": {}},
            {},
        ):
            with self.subTest(**changes):
                self.assertEqual(self.keep(**changes), self.known())

    def test_an_unchanged_server_costs_no_write(self) -> None:
        self.keep()
        with mock.patch.object(
            self.database, "transaction", side_effect=AssertionError
        ):
            self.keep()

    def test_consoles_and_tokens_go_with_the_project(self) -> None:
        self.keep()
        self.add_console_and_token()
        self.keep(name="web")
        self.assertEqual([1, 1], self.things())
        self.keep(compute_host="compute-2")
        self.assertEqual([1, 0], self.things())
        self.keep(project_id=base.OTHER_PROJECT)
        self.assertEqual([0, 0], self.things())
        self.assertCountsAreRight()

    def things(self) -> list[int]:
        return [
            len(self.rows(table))
            for table in (tables.consoles, tables.console_auth_tokens)
        ]

    def test_who_inserts_at_the_same_time_wins_or_looks_again(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            names = [f"name-{number}" for number in range(16)]
            list(pool.map(lambda name: self.keep(name=name), names))
        self.assertIn(self.known().name, names)

    def test_a_row_inserted_meanwhile_is_updated(self) -> None:
        get = servers.get

        def overtake(*args: object) -> object:
            found = get(*args)  # type: ignore[arg-type]
            if not found:
                self.add_server(name="old")
            return found

        with mock.patch.object(servers, "get", overtake):
            self.keep(name="new")
        self.assertEqual("new", self.known().name)

    def test_a_row_deleted_meanwhile_is_inserted_again(self) -> None:
        self.add_server(name="old")
        update = servers.update

        def overtake(*args: object) -> bool:
            servers.delete(self.database, SERVER)
            return update(*args)  # type: ignore[arg-type]

        with mock.patch.object(servers, "update", overtake):
            self.keep(name="new")
        self.assertEqual("new", self.known().name)

    def test_a_row_that_never_rests_is_given_up(self) -> None:
        with (
            mock.patch.object(
                servers, "insert", side_effect=errors.AlreadyExists
            ),
            self.assertRaisesRegex(errors.Unavailable, "keeps changing"),
        ):
            self.keep()


class ForgetTest(base.DatabaseCase):
    def test_a_known_server_goes_with_all_that_hangs_on_it(self) -> None:
        self.add_server(endpoints={"vnc": {}})
        self.add_console_and_token()
        self.assertTrue(records.forget(self.database, SERVER))
        for table in (
            tables.servers,
            tables.server_endpoints,
            tables.consoles,
            tables.console_auth_tokens,
        ):
            self.assertEqual([], self.rows(table), table)
        self.assertCountsAreRight()
        self.assertFalse(records.forget(self.database, SERVER))

    def test_an_unknown_server_costs_no_write(self) -> None:
        with mock.patch.object(
            self.database, "transaction", side_effect=AssertionError
        ):
            self.assertFalse(records.forget(self.database, UNKNOWN_SERVER))
