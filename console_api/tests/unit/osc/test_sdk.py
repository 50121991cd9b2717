# SPDX-License-Identifier: Apache-2.0
from console_api.osc.sdk import Console
from console_api.tests.unit.osc.base import CONSOLES, SERVER, CommandCase


class ConsoleTest(CommandCase):
    def test_list_returns_consoles(self) -> None:
        self.add_consoles(4)
        [console] = Console.list(self.compute, server_id=SERVER)
        self.assertEqual((4, "vnc"), (console.id, console.console_type))
        self.assertEqual(SERVER, console.server_id)
        self.assertIsNone(console.password)

    def test_listed_console_is_fetched_and_deleted(self) -> None:
        self.add_consoles(4)
        path = f"{CONSOLES}/4"
        self.answers["get", path] = (
            200,
            {"console": {"id": 4, "port": 5900, "password": "secret"}},
        )
        self.answers["delete", path] = (202, None)
        [console] = Console.list(self.compute, server_id=SERVER)
        console.fetch(self.compute)
        self.assertEqual((5900, "secret"), (console.port, console.password))
        console.delete(self.compute)
        self.assertEqual(("delete", path), self.requests[-1])

    def test_create_returns_no_values(self) -> None:
        self.answers["post", CONSOLES] = (200, None)
        console = Console.new(server_id=SERVER).create(self.compute)
        self.assertIsNone(console.id)
