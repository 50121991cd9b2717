# SPDX-License-Identifier: Apache-2.0
"""A gateway that is killed with many sessions, beside another one."""

import time

import sqlalchemy as sa

from console_api.db import tables
from console_api.tests.functional import base
from console_api.tests.functional.test_gateway_life import LifeTestCase

SESSIONS = 200

# Two heartbeats of a second, and the whole seconds of the database's clock.
MAX_DELAY = 2 * 1 + 1


@base.on_databases("postgresql")
class CrashTests(LifeTestCase):
    options = {
        "tokens": {"single_use": "true"},
        "sessions": {
            "max_per_user": "0",
            "max_per_server": "0",
            "max_per_project": "0",
        },
    }

    def listed(self, gateway):
        """Return how many open sessions of a gateway the API lists."""
        reply = self.admin.get(
            f"/os-console-sessions?gateway=gateway-{gateway.port}"
        )
        self.assertEqual(200, reply.status, reply.body)
        return len(reply.json["sessions"])

    def wait_for_heartbeat(self):
        """Wait until the gateway's next heartbeat is stored."""
        gateways = tables.console_gateways.c
        query = sa.select(gateways.last_seen_at).where(
            gateways.name == f"gateway-{self.gateway.port}"
        )
        before = self.database.rows(query)
        self.eventually(lambda: self.database.rows(query) != before)

    def test_list_is_right_soon_after_gateway_is_killed(self):
        other = self.start_gateway()
        kept = [self.open(other) for _ in range(3)]
        server_id = self.make_server(
            endpoints={
                "serial": {"host": "127.0.0.1", "port": self.display_port}
            }
        )
        tokens = [
            self.issue_token(server_id, "serial", "serial")
            for _ in range(SESSIONS)
        ]
        for token in tokens:
            stream = self.gateway.connect(f"/?token={token}")
            self.addCleanup(stream.close)
        self.assert_echoes(stream)
        self.assertEqual(SESSIONS, self.listed(self.gateway))
        # None is on its way when the gateway is killed.
        self.wait_for_heartbeat()
        self.gateway.kill()
        killed_at = last_wrong_at = time.monotonic()

        def is_right():
            nonlocal last_wrong_at
            sent_at = time.monotonic()
            if self.listed(self.gateway):
                # However long the answer took.
                last_wrong_at = sent_at
                return False
            return True

        self.eventually(is_right)
        self.assertLess(last_wrong_at - killed_at, MAX_DELAY)
        for stream in kept:
            self.assert_echoes(stream)
        self.assertEqual(len(kept), self.listed(other))
        refused = other.exchange(tokens[0])
        self.assertEqual(
            (409, "token_used"), (refused.status, refused.json["reason"])
        )
