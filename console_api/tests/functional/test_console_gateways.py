# SPDX-License-Identifier: Apache-2.0
import uuid

from console_api.db import tables
from console_api.tests.functional import base
from console_api.tests.functional.session_base import SessionTestCase


@base.on_each_database
class GatewayTests(SessionTestCase):
    def test_heartbeat_records_traffic(self):
        session = self.opened(token=self.issue())
        self.beat(
            self.gateway_id,
            {
                "id": session["id"],
                "bytes_in": 2**40,
                "bytes_out": 5,
                "idle_seconds": 3,
            },
        )
        row = self.row(session)
        self.assertEqual((2**40, 5), (row.bytes_in, row.bytes_out))

    def test_session_of_other_gateway_is_not_reported(self):
        session = self.opened(token=self.issue())
        other = self.start_gateway()
        report = {
            "id": session["id"],
            "bytes_in": 1,
            "bytes_out": 1,
            "idle_seconds": 0,
        }
        self.assertEqual(
            [{"id": session["id"], "reason": "revoked"}],
            self.beat(other, report)["cut"],
        )
        self.assertEqual(0, self.row(session).bytes_in)

    def test_silent_gateway_has_to_report_all(self):
        self.assertFalse(self.beat(self.gateway_id)["report_all"])
        gateways = tables.console_gateways
        self.database.execute(
            gateways.update()
            .where(gateways.c.id == self.gateway_id)
            .values(last_seen_at=0)
        )
        self.assertTrue(self.beat(self.gateway_id)["report_all"])

    def test_close_is_idempotent_and_ignores_unknown_ones(self):
        session = self.opened(token=self.issue())
        self.close(session, "display_closed")
        self.close(session, "cut")
        self.close({"id": str(uuid.uuid4())})
        self.assertEqual("display_closed", self.row(session).close_reason)

    def test_locked_sessions_are_cut_and_refused(self):
        session = self.opened(token=self.issue())
        locks = tables.console_locks
        for scope, name in (
            ("project", self.project),
            ("host", self.compute_host),
        ):
            with self.subTest(scope):
                lock = {
                    "scope": scope,
                    "name": name,
                    "reason": "audit",
                    "created_at": 0,
                }
                self.database.execute(locks.insert().values(lock))
                self.assertEqual(
                    [{"id": session["id"], "reason": "locked"}],
                    self.beat(self.gateway_id)["cut"],
                )
                self.assert_refused(
                    self.open(token=self.issue()), 403, "locked"
                )
                self.database.execute(
                    locks.delete().where(locks.c.name == name)
                )
                self.assertEqual([], self.beat(self.gateway_id)["cut"])
