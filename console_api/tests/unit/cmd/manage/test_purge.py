# SPDX-License-Identifier: Apache-2.0
from console_api.db import tables
from console_api.tests.unit import base
from console_api.tests.unit.base import server_id
from console_api.tests.unit.cmd.manage.base import ManageCase
from console_api.tests.unit.directory.nova.fake_nova import FakeNova, fault


class PurgeTest(ManageCase):
    def setUp(self) -> None:
        super().setUp()
        self.nova = FakeNova()
        self.addCleanup(self.nova.stop)
        base.write_conf(
            self.folder,
            {
                "directory": {"driver": "nova"},
                "nova": {**self.nova.options, "status_code_retries": 0},
            },
        )
        for number in range(1, 4):
            self.add_server(server_id(number))
            self.add_console_and_token(server_id(number))
            self.nova.add_server(server_id(number))

    def remaining(self) -> list[int]:
        self.assertCountsAreRight()
        return [int(row.uuid[-12:]) for row in self.rows(tables.servers)]

    def test_deleted_servers_are_purged_and_counted(self) -> None:
        del self.nova.servers[server_id(2)]
        outcome = self.manage("server", "purge")
        self.assertEqual("Looked up 3 servers, deleted 1.\n", outcome.stdout)
        self.assertEqual([1, 3], self.remaining())
        outcome = self.manage("server", "purge")
        self.assertEqual("Looked up 2 servers, deleted 0.\n", outcome.stdout)

    def test_unavailable_directory_stops_the_purge(self) -> None:
        self.nova.servers.clear()
        path = f"/v2.1/servers/{server_id(2)}"
        self.nova.responses["GET", path] = fault(503, "serviceUnavailable")
        outcome = self.run_manage("server", "purge")
        self.assertEqual(1, outcome.status)
        reason, message = outcome.stderr.splitlines()
        self.assertIn("status 503", reason)
        self.assertIn("server 2 of 3. Deleted 1 server before.", message)
        self.assertEqual([2, 3], self.remaining())

    def test_servers_of_the_database_are_not_purged(self) -> None:
        base.write_conf(self.folder)
        self.assertRefused("server delete", "server", "purge")
        self.assertEqual([1, 2, 3], self.remaining())

    def test_purge_deletes_all_that_is_gone(self) -> None:
        self.add_token("f" * 64, server_id(1), expires_at=1)
        self.expire_console(self.rows(tables.consoles)[0].id)
        del self.nova.servers[server_id(2)]
        outcome = self.manage("purge")
        self.assertEqual(
            "Deleted 1 expired token.\nDeleted 0 old sessions.\n"
            "Deleted 1 expired console.\n"
            "Looked up 3 servers, deleted 1.\n",
            outcome.stdout,
        )
        self.assertEqual([1, 3], self.remaining())

    def test_purge_keeps_servers_of_the_database(self) -> None:
        base.write_conf(self.folder)
        self.add_token("f" * 64, server_id(1), expires_at=1)
        outcome = self.manage("purge")
        self.assertEqual(
            "Deleted 1 expired token.\nDeleted 0 old sessions.\n"
            "Deleted 0 expired consoles.\n",
            outcome.stdout,
        )
        self.assertEqual([1, 2, 3], self.remaining())
