# SPDX-License-Identifier: Apache-2.0
import itertools
from typing import Any
from unittest import mock

from console_api import errors
from console_api.db import consoles, servers, tables
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER, server_id
from console_api.tests.unit.db.test_consoles import ConsolesCase


class DeleteTest(ConsolesCase):
    def setUp(self) -> None:
        super().setUp()
        self.host = self.add_console_host()
        self.insert(self.host)
        [self.console] = self.rows(tables.consoles)

    def test_delete_frees_port_and_count(self) -> None:
        self.assertTrue(
            consoles.delete(self.database, SERVER, self.console.id)
        )
        self.assertEqual([], self.stored())
        self.assertEqual(0, self.console_host().console_count)

    def test_console_of_other_server_is_kept(self) -> None:
        for uuid, console_id in (
            (UNKNOWN_SERVER, self.console.id),
            (SERVER, self.console.id + 1),
        ):
            with self.subTest(uuid=uuid, console_id=console_id):
                self.assertFalse(
                    consoles.delete(self.database, uuid, console_id)
                )
                self.assertEqual(1, self.console_host().console_count)

    def test_console_moved_concurrently_is_deleted(
        self,
    ) -> None:
        new = self.add_console_host("new")
        with self.interfering(
            lambda: consoles.move(
                self.database, self.console.id, self.host.id, new
            )
        ):
            self.assertTrue(
                consoles.delete(self.database, SERVER, self.console.id)
            )
        self.assertEqual([], self.stored())

    def test_console_deleted_concurrently_is_reported(self) -> None:
        with self.interfering(lambda: servers.delete(self.database, SERVER)):
            self.assertFalse(
                consoles.delete(self.database, SERVER, self.console.id)
            )
        self.assertEqual(0, self.console_host().console_count)

    def test_delete_attempts_are_limited(self) -> None:
        new = self.add_console_host("new")
        hosts = itertools.cycle([(self.host, new), (new, self.host)])

        def move() -> None:
            old, now = next(hosts)
            consoles.move(self.database, self.console.id, old.id, now)

        # A console on each host, so that the counts may fall.
        for number, host in ((2, self.host), (3, new)):
            self.add_server(server_id(number))
            self.insert(host, server_id(number))
        with (
            self.interfering(move, times=9),
            self.assertRaises(errors.Unavailable),
        ):
            consoles.delete(self.database, SERVER, self.console.id)
        self.assertEqual(3, len(self.stored()))

    def interfering(self, act: Any, times: int = 1) -> Any:
        """Let another request act after each of the first reads."""
        read = self.database.read
        acts = iter([act] * times)

        def read_then_act(*args: Any) -> Any:
            rows = read(*args)
            next(acts, lambda: None)()
            return rows

        return mock.patch.object(self.database, "read", read_then_act)
