# SPDX-License-Identifier: Apache-2.0
"""Heartbeats of agents, on each database."""

import time

import sqlalchemy as sa

from console_api import conf
from console_api.db import clock, console_hosts, heartbeats, tables
from console_api.db.engine import Database
from console_api.db.heartbeats import AgentReport
from console_api.tests.functional import base, configuration


class HeartbeatTestCase(base.FunctionalTestCase):
    def setUp(self):
        super().setUp()
        folder = configuration.temporary_folder()
        self.code = Database(
            conf.load(configuration.write(folder, self.database))
        )
        self.addCleanup(self.code.close)
        self.name = self.make_console_host(last_seen_at=None)

    def record(self):
        """Record a heartbeat and return the row of the console host."""
        heartbeats.record(
            self.code,
            self.console_host(self.name).id,
            AgentReport("1.2.3", "vnc"),
        )
        return console_hosts.get(self.code, self.name, "vnc+xvp")


@base.on_each_database
class HeartbeatTests(HeartbeatTestCase):
    def test_heartbeat_has_the_time_of_the_database(self):
        before = int(time.time())
        row = self.record()
        times = [
            before,
            row.last_seen_at,
            row.read_at,
            clock.read(self.code),
            int(time.time()),
        ]
        self.assertEqual(sorted(times), times)


@base.on_database_servers
class LockedConsoleHostTests(HeartbeatTestCase):
    def test_agent_of_a_locked_host_is_alive(self):
        with self.database.engine.begin() as connection:
            connection.execute(
                sa.update(tables.console_hosts)
                .where(tables.console_hosts.c.host == self.name)
                .values(console_count=1)
            )
            self.assertIsNotNone(self.record().last_seen_at)
            connection.rollback()
