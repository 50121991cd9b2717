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

MAIL = Server(
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


class UpdateTest(base.DatabaseCase):
    def update(self, **changes: object) -> Server:
        server = dataclasses.replace(MAIL, **changes)  # type: ignore[arg-type]
        records.update(self.database, server)
        return server

    def stored(self) -> Server:
        return DatabaseDirectory(self.database).get(SERVER)

    def test_new_server_is_inserted_with_endpoints(self) -> None:
        self.assertEqual(self.update(), self.stored())

    def test_each_change_is_stored(self) -> None:
        self.update()
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
                self.assertEqual(self.update(**changes), self.stored())

    def test_unchanged_server_is_not_written(self) -> None:
        self.update()
        with mock.patch.object(
            self.database, "transaction", side_effect=AssertionError
        ):
            self.update()

    def test_change_of_project_deletes_consoles_and_tokens(self) -> None:
        self.update()
        self.add_console_and_token()
        self.update(name="web")
        self.assertEqual([1, 1], self.counts())
        self.update(compute_host="compute-2")
        self.assertEqual([1, 0], self.counts())
        self.update(project_id=base.OTHER_PROJECT)
        self.assertEqual([0, 0], self.counts())
        self.assertCountsAreRight()

    def counts(self) -> list[int]:
        return [
            len(self.rows(table))
            for table in (tables.consoles, tables.console_auth_tokens)
        ]

    def test_concurrent_inserts_store_one_row(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            names = [f"name-{number}" for number in range(16)]
            list(pool.map(lambda name: self.update(name=name), names))
        self.assertIn(self.stored().name, names)

    def test_row_inserted_concurrently_is_updated(self) -> None:
        get = servers.get

        def change_first(*args: object) -> object:
            found = get(*args)  # type: ignore[arg-type]
            if not found:
                self.add_server(name="old")
            return found

        with mock.patch.object(servers, "get", change_first):
            self.update(name="new")
        self.assertEqual("new", self.stored().name)

    def test_row_deleted_concurrently_is_inserted(self) -> None:
        self.add_server(name="old")
        update = servers.update

        def change_first(*args: object) -> bool:
            servers.delete(self.database, SERVER)
            return update(*args)  # type: ignore[arg-type]

        with mock.patch.object(servers, "update", change_first):
            self.update(name="new")
        self.assertEqual("new", self.stored().name)

    def test_row_that_keeps_changing_is_unavailable(self) -> None:
        with (
            mock.patch.object(
                servers, "insert", side_effect=errors.AlreadyExists
            ),
            self.assertRaisesRegex(errors.Unavailable, "keeps changing"),
        ):
            self.update()


class DeleteTest(base.DatabaseCase):
    def test_delete_removes_consoles_and_tokens(self) -> None:
        self.add_server(endpoints={"vnc": {}})
        self.add_console_and_token()
        self.assertTrue(records.delete(self.database, SERVER))
        for table in (
            tables.servers,
            tables.server_endpoints,
            tables.consoles,
            tables.console_auth_tokens,
        ):
            self.assertEqual([], self.rows(table), table)
        self.assertCountsAreRight()
        self.assertFalse(records.delete(self.database, SERVER))

    def test_delete_of_unknown_server_writes_nothing(self) -> None:
        with mock.patch.object(
            self.database, "transaction", side_effect=AssertionError
        ):
            self.assertFalse(records.delete(self.database, UNKNOWN_SERVER))
