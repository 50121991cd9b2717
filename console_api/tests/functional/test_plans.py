# SPDX-License-Identifier: Apache-2.0
"""No statement's cost grows with its tables: how databases plan them.

Whatever the functions of ``console_api.db`` send is recorded, on 100,000
tokens and 10,000 consoles, and the database is asked to explain it.  A scan
of a whole table or index fails, also for new statements.
"""

import sqlalchemy as sa

from console_api.db import (
    console_auth_tokens,
    console_changes,
    console_expiry,
    console_host_deletion,
    console_hosts,
    console_listing,
    console_problems,
    consoles,
    heartbeats,
    passwords,
    servers,
    tables,
)
from console_api.db.console_listing import ConsoleFilters
from console_api.db.heartbeats import AgentReport
from console_api.tests.functional import base, bulk
from console_api.tests.functional.plan_base import SMALL, PlanTestCase
from console_api.values import ConsoleState


@base.on_each_database
class PlanTests(PlanTestCase):
    # There are none here; test_session_plans has many.
    small = SMALL | {"console_sessions"}

    def host(self, number):
        hosts = tables.console_hosts
        [row] = self.full.rows(sa.select(hosts).where(hosts.c.id == number))
        return row

    def test_scan_is_detected(self):
        """The opposite of all others here: a statement without an index."""
        for statement in (
            "SELECT host FROM console_auth_tokens WHERE port = 1",
            "SELECT id FROM consoles WHERE instance_name = 'x'",
            "SELECT count(*) FROM servers",
            "DELETE FROM console_auth_tokens WHERE user_id = 'x'",
        ):
            with self.subTest(statement):
                self.assertNotEqual([], self.scans(statement, ()))

    def test_console_auth_tokens(self):
        now = bulk.EXPIRED
        found = console_auth_tokens.find(
            self.database, bulk.token_hash(bulk.TOKENS - 1), now
        )
        self.assertEqual("project", found.project_id)
        self.assertIsNone(
            console_auth_tokens.find(self.database, bulk.token_hash(7), now)
        )
        self.assertTrue(
            console_auth_tokens.delete(self.database, bulk.token_hash(7))
        )
        console_auth_tokens.count_expired(self.database, now)
        self.assertEqual(
            100, next(console_auth_tokens.purge(self.database, now, 100))
        )
        self.assert_no_scans(5)

    def test_consoles(self):
        server = bulk.server_id(2_345)
        [row] = consoles.list_of_server(self.database, server, 0, 10)
        consoles.placed_of_server(self.database, server)
        self.assertEqual(
            "project",
            servers.get(self.database, server).project_id,
        )
        found = consoles.get(self.database, server, row.id)
        self.assertEqual("encrypted", found.encrypted_password)
        self.assertTrue(consoles.delete(self.database, server, row.id))
        console_expiry.list_expired(self.database, 10)
        self.assert_no_scans(6)

    def test_console_listing(self):
        """What a user asks, and an administrator, with each filter."""
        for filters in (
            {},
            {"server_id": bulk.server_id(12_345)},
            {"console_host": "console3", "console_type": "vnc"},
            *({"state": state} for state in ConsoleState),
        ):
            for project in ({}, {"project_id": "x"}):
                console_listing.list_page(
                    self.database,
                    ConsoleFilters(**filters, **project),
                    down_time=60,
                    marker=0,
                    limit=100,
                )
        self.assert_no_scans(14)

    def test_free_ports(self):
        free = bulk.MIN_PORT + bulk.CONSOLES_OF_HOST
        # Whether the first try hits the one free port is left to chance.
        for number, console_type in ((1, "vnc"), (2, "vnc")):
            server = f"server-{console_type}-{number}"
            self.full.execute(
                tables.servers.insert(),
                {
                    "uuid": server,
                    "project_id": "project",
                    "name": "name",
                    "instance_name": "instance",
                },
            )
            outcome = consoles.insert(
                self.database,
                self.host(number),
                consoles.NewConsole(server, "instance", "encrypted", 60),
            )
            self.assertIs(consoles.Placed.DONE, outcome)
            [row] = consoles.placed_of_server(self.database, server)
            self.assertEqual(
                free, consoles.get(self.database, server, row.id).port
            )
        outcome = consoles.move(
            self.database, row.id, row.console_host_id, self.host(3)
        )
        self.assertIs(consoles.Placed.DONE, outcome)
        self.assertTrue(
            any("next_console" in statement for statement in self.recorded)
        )
        self.assert_no_scans(6)

    def test_console_hosts(self):
        console_hosts.update(
            self.database, "console4", "vnc", {"enabled": False}
        )
        self.assertTrue(
            console_host_deletion.delete_with_consoles(
                self.database, "console5", "vnc"
            )
        )
        self.assert_no_scans(3)

    def test_console_changes(self):
        """What an agent asks each half second, and now and then."""
        console_hosts.get(self.database, "console6", "vnc")
        changes = console_changes.list_since(
            self.database, 6, bulk.CONSOLES_OF_HOST - 3, 1000
        )
        self.assertEqual(3, len(changes))
        console_changes.prune(self.database, 6, 100)
        heartbeats.record(self.database, 6, AgentReport("1.2.3", "vnc"))
        console_problems.replace(self.database, 6, {1: "a", 2: "b"})
        console_problems.update(self.database, 6, {1: None, 2: "c"})
        self.assert_no_scans(4)

    def test_servers(self):
        server = bulk.server_id(4_321)
        servers.list_page(self.database, bulk.server_id(500), 100)
        servers.existing(self.database, [server, "unknown"])
        self.assertTrue(
            servers.update(
                self.database,
                server,
                {"compute_host": "other", "instance_name": "other"},
                {"vnc": servers.Endpoint("192.0.2.11", 5901)},
                ["spice"],
            )
        )
        self.assertTrue(servers.delete(self.database, server))
        self.assert_no_scans(7)

    def test_passwords(self):
        page = passwords.list_page(self.database, 500, 100)
        self.assertEqual(100, len(page))
        passwords.replace(
            self.database,
            [
                passwords.Replacement(
                    row.console_id, row.encrypted_password, "new"
                )
                for row in page
            ],
        )
        self.assert_no_scans(2)
