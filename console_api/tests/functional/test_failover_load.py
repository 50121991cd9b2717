# SPDX-License-Identifier: Apache-2.0
"""The load of failover tests, on databases that do not fail over."""

import time

from console_api.db import tables
from console_api.tests.functional import base, failover_load


@base.on_database_servers
class FailoverLoadTests(base.FunctionalTestCase):
    def setUp(self):
        super().setUp()
        self.host = self.make_console_host(max_port=20099)
        self.load = failover_load.Load(
            self.server, self.database, self.compute_host
        )
        began_at = time.monotonic()
        self.load.start()
        self.eventually(lambda: self.load.has_written_since(began_at))
        self.load.stop()
        self.assertEqual([], self.load.problems)

    def test_healthy_database_keeps_everything(self):
        self.assertEqual([], self.load.verify(self.database))
        figures = self.load.figures("none", 0, 0)
        self.assertEqual(0, figures.refusals)
        self.assertLess(10, figures.requests)

    def test_lost_rows_are_reported(self):
        tokens, consoles = tables.console_auth_tokens, tables.consoles
        self.database.execute(tokens.delete())
        host = self.console_host(self.host)
        self.database.execute(
            consoles.delete().where(consoles.c.console_host_id == host.id)
        )
        problems = "\n".join(self.load.verify(self.database))
        self.assertIn("Acknowledged, but not stored", problems)
        self.assertIn("acknowledged tokens are not stored", problems)
        self.assertIn(f"{self.host} counts", problems)
        self.change_console_host(self.host, console_count=0)
