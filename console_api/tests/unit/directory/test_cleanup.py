# SPDX-License-Identifier: Apache-2.0
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

from console_api import errors
from console_api.db import tables
from console_api.directory import cleanup
from console_api.directory.base import Server
from console_api.directory.remote import RemoteDirectory
from console_api.tests.unit import base
from console_api.tests.unit.base import server_id


class FakeDirectory(RemoteDirectory):
    """A directory with ``servers``; unavailable if they are None."""

    def __init__(self, database: Any) -> None:
        super().__init__(database, cache_seconds=60)
        self.servers: dict[str, Server] | None = {}
        self.requests: list[str] = []

    @classmethod
    def from_conf(cls, conf: Any, database: Any) -> "FakeDirectory":
        return cls(database)

    def find(self, server_id: str) -> Server:
        self.requests.append(server_id)
        if self.servers is None:
            raise errors.DirectoryUnavailable
        if server_id not in self.servers:
            raise errors.ServerNotFound(server_id)
        return self.servers[server_id]


class CleanupCase(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = FakeDirectory(self.database)
        self.addCleanup(self.assertCountsAreRight)

    def add(self, *numbers: int) -> None:
        """Add servers to directory and database, with consoles and tokens."""
        assert self.directory.servers is not None
        for number in numbers:
            server = self.add_server(server_id(number))
            self.directory.servers[server.uuid] = server
            self.add_console_and_token(server.uuid)

    def remove(self, *numbers: int) -> None:
        """Remove servers from the directory only."""
        assert self.directory.servers is not None
        for number in numbers:
            del self.directory.servers[server_id(number)]

    def left(self, table: Any = tables.servers) -> list[int]:
        column = "uuid" if table is tables.servers else "server_id"
        return sorted(
            int(row._asdict()[column][-12:]) for row in self.rows(table)
        )

    def assert_left(self, *numbers: int) -> None:
        for table in (
            tables.servers,
            tables.consoles,
            tables.console_auth_tokens,
        ):
            self.assertEqual(list(numbers), self.left(table), table.name)


class CheckTest(CleanupCase):
    def check(self, marker: str = "") -> list[tuple[int, bool]]:
        return [
            (
                int(uuid[-12:]),
                cleanup.is_gone(self.database, self.directory, uuid),
            )
            for uuid in cleanup.known_servers(self.database, marker)
        ]

    def test_only_missing_servers_are_deleted(self) -> None:
        self.add(1, 2, 3, 4)
        self.remove(2, 4)
        self.assertEqual(
            [(1, False), (2, True), (3, False), (4, True)], self.check()
        )
        self.assert_left(1, 3)
        self.assertEqual([(1, False), (3, False)], self.check())

    def test_pages_continue_after_marker(self) -> None:
        self.add(1, 2, 3, 4)
        with mock.patch.object(cleanup, "_PAGE_SIZE", 1):
            self.assertEqual([3, 4], [n for n, _ in self.check(server_id(2))])

    def test_cache_is_bypassed(self) -> None:
        self.add(1)
        self.directory.get(server_id(1))
        self.remove(1)
        self.check()
        self.assert_left()

    def test_rows_are_updated(self) -> None:
        self.add(1)
        assert self.directory.servers is not None
        self.directory.servers[server_id(1)] = Server(
            server_id(1), base.OTHER_PROJECT, "new", "i", None
        )
        self.check()
        self.assertEqual("new", self.rows(tables.servers)[0].name)
        self.assertEqual([], self.rows(tables.consoles))

    def test_unavailable_directory_deletes_nothing(self) -> None:
        self.add(1, 2)
        self.directory.servers = None
        with self.assertRaises(errors.DirectoryUnavailable):
            self.check()
        self.assert_left(1, 2)

    def test_concurrent_cleanups_are_harmless(self) -> None:
        self.add(1, 2, 3)
        self.remove(1, 2)
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda _: self.check(), range(2)))
        self.assertIn([(1, True), (2, True), (3, False)], found)
        self.assert_left(3)
