# SPDX-License-Identifier: Apache-2.0
"""No statement on sessions costs more with a longer history."""

import time
import uuid

from console_api.db import (
    console_auth_tokens,
    console_gateways,
    console_session_listing,
    console_session_purge,
    console_sessions,
    servers,
    session_limits,
    session_origins,
    tables,
)
from console_api.db.console_gateways import Closed, Gateway, Traffic
from console_api.db.console_session_listing import SessionFilters
from console_api.tests.functional import base
from console_api.tests.functional.plan_base import PlanTestCase
from console_api.values import SessionState

SESSIONS = 20_000
SCOPES = ("token", "user", "server", "project", "gateway")


@base.on_each_database
class SessionPlanTests(PlanTestCase):
    def setUp(self):
        super().setUp()
        self.now = int(time.time())
        self.gateways = [str(uuid.uuid4()) for _ in range(20)]
        self.ids = [str(uuid.uuid4()) for _ in range(SESSIONS)]
        with self.full.engine.begin() as connection:
            connection.execute(
                tables.console_gateways.insert(),
                [
                    {
                        "id": id_,
                        "name": "gateway",
                        "heartbeat_interval": 60,
                        "last_seen_at": self.now,
                    }
                    for id_ in self.gateways
                ],
            )
            connection.execute(
                tables.console_sessions.insert(),
                [self.row(*each) for each in enumerate(self.ids)],
            )
        self.analyze("console_sessions")

    def analyze(self, table):
        with self.full.engine.connect() as connection:
            if self.backend == "mysql":
                connection.exec_driver_sql(f"ANALYZE TABLE {table}")
            else:
                connection.exec_driver_sql("ANALYZE")
            connection.commit()

    def row(self, number, id_):
        return {
            "id": id_,
            "token_hash": f"token-{number}",
            "secret_hash": id_,
            "gateway_id": self.gateways[number % 20],
            "gateway": "gateway",
            "server_id": f"server-{number % 1000}",
            "project_id": f"project-{number % 500}",
            "user_id": f"user-{number % 700}",
            "console_type": "novnc",
            "host": "192.0.2.1",
            "port": 5900,
            "view_only": False,
            "exclusive": False,
            "client_address": "192.0.2.7",
            "created_at": self.now - number,
            "connected_at": self.now - number,
            "last_activity_at": self.now,
            "closed_at": None if number % 1000 == 1 else self.now - number,
        }

    def test_gateways(self):
        gateway = Gateway(self.gateways[1], "gateway", 60)
        report = [Traffic(self.ids[1], 1, 1)]
        for is_complete in (False, True):
            found = console_gateways.beat(
                self.database,
                gateway,
                report,
                is_complete=is_complete,
                bounds=("", "g"),
            )
            self.assertEqual([], found.cut)
        console_gateways.close(
            self.database, gateway.id, [Closed(report[0], "client_closed")]
        )
        self.assert_no_scans(5)

    def test_limits(self):
        limits = session_limits.Limits(dict.fromkeys(SCOPES, 100), 120)
        values = {**self.row(1, "new"), "compute_host": "compute-1"}
        with self.database.transaction() as connection:
            session_limits.check(connection, limits, values)
        self.assertIsNotNone(
            session_origins.find_resumable(self.database, self.ids[1])
        )
        console_auth_tokens.find(self.database, "0" * 64, 0)
        self.assert_no_scans(3)

    def test_cuts(self):
        console_sessions.cut(self.database, self.ids[1001])
        servers.delete(self.database, "server-1")
        self.assert_no_scans(2)

    def test_listing(self):
        for state in SessionState:
            for filters in (
                {"project_id": "project-1"},
                {"server_id": "server-1"},
                {"user_id": "user-1"},
                {},
            ):
                console_session_listing.list_page(
                    self.database,
                    SessionFilters(state=state, **filters),
                    resume_timeout=120,
                    marker="",
                    limit=100,
                )
        console_session_listing.get(
            self.database, self.ids[1], resume_timeout=120
        )
        self.assert_no_scans(13)

    def test_purge(self):
        with self.full.engine.begin() as connection:
            connection.execute(
                tables.console_session_scopes.insert(),
                [
                    {"name": f"user:user-{number}", "revision": 0}
                    for number in range(701)
                ],
            )
        self.analyze("console_session_scopes")
        console_session_purge.close_pending(self.database, 120)
        next(console_session_purge.purge(self.database, 19_000, 100))
        console_session_purge.purge_scopes(self.database, 100)
        self.assert_no_scans(5)
