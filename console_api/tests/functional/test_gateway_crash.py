# SPDX-License-Identifier: Apache-2.0
"""A gateway that is killed with many sessions, beside another one."""

import time

from console_api.tests.functional import base
from console_api.tests.functional.test_gateway_life import LifeTestCase

SESSIONS = 200

# Two heartbeats of a second, the whole seconds of the database's clock, and
# time for the requests on a busy machine.
MAX_DELAY = 10


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
        self.gateway.kill()
        killed_at = time.monotonic()
        self.eventually(lambda: not self.listed(self.gateway))
        self.assertLess(time.monotonic() - killed_at, MAX_DELAY)
        for stream in kept:
            self.assert_echoes(stream)
        self.assertEqual(len(kept), self.listed(other))
        refused = other.exchange(tokens[0])
        self.assertEqual(
            (409, "token_used"), (refused.status, refused.json["reason"])
        )
