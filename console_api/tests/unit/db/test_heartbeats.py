# SPDX-License-Identifier: Apache-2.0
import time

from console_api.db import clock, heartbeats, tables
from console_api.db.heartbeats import AgentReport
from console_api.tests.unit import base


class HeartbeatTest(base.DatabaseCase):
    def test_heartbeat_has_the_time_of_the_database(self) -> None:
        host = self.add_console_host(last_seen_at=None)
        earliest = clock.read(self.database)
        heartbeats.record(self.database, host.id, base.REPORT)
        row = self.console_host()
        assert row.last_seen_at is not None
        self.assertLessEqual(earliest, row.last_seen_at)
        self.assertLessEqual(row.last_seen_at, row.read_at)

    def test_heartbeat_has_the_report(self) -> None:
        host = self.add_console_host()
        heartbeats.record(
            self.database,
            host.id,
            AgentReport("1.2.3", "vnc", "no key", 5, 3, 1),
        )
        row = self.console_host()
        self.assertEqual(
            ("1.2.3", "vnc", "no key", 3, 1),
            (
                row.version,
                row.driver,
                row.trouble,
                row.served_count,
                row.failed_count,
            ),
        )
        [stored] = self.rows(tables.console_host_heartbeats)
        self.assertEqual(5, stored.served_revision)

    def test_heartbeat_of_a_deleted_host_is_ignored(self) -> None:
        heartbeats.record(self.database, 1, base.REPORT)
        self.assertEqual([], self.rows(tables.console_host_heartbeats))

    def test_clock_has_seconds_since_the_epoch(self) -> None:
        earliest = int(time.time())
        found = clock.read(self.database)
        self.assertTrue(earliest <= found <= time.time())
