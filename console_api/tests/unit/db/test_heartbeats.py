# SPDX-License-Identifier: Apache-2.0
import time

from console_api.db import clock, heartbeats, tables
from console_api.tests.unit import base


class HeartbeatTest(base.DatabaseCase):
    def test_heartbeat_has_the_time_of_the_database(self) -> None:
        host = self.add_console_host(last_seen_at=None)
        earliest = clock.read(self.database)
        heartbeats.record(self.database, host.id)
        row = self.console_host()
        assert row.last_seen_at is not None
        self.assertLessEqual(earliest, row.last_seen_at)
        self.assertLessEqual(row.last_seen_at, row.read_at)

    def test_heartbeat_of_a_deleted_host_is_ignored(self) -> None:
        heartbeats.record(self.database, 1)
        self.assertEqual([], self.rows(tables.console_host_heartbeats))

    def test_clock_has_seconds_since_the_epoch(self) -> None:
        earliest = int(time.time())
        found = clock.read(self.database)
        self.assertTrue(earliest <= found <= time.time())
