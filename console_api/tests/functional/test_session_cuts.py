# SPDX-License-Identifier: Apache-2.0
from console_api import conf
from console_api.db import servers, tables
from console_api.db.engine import Database
from console_api.tests.functional import base
from console_api.tests.functional.session_base import SessionTestCase


@base.on_each_database
class CutTests(SessionTestCase):
    def setUp(self):
        super().setUp()
        self.token = self.issue()
        self.session = self.opened(token=self.token)
        self.writer = Database(conf.load(self.server.folder))
        self.addCleanup(self.writer.close)

    def assert_cut(self, reason):
        """Assert that the gateway has to close the session for a reason."""
        self.assertEqual(
            [{"id": self.session["id"], "reason": reason}],
            self.beat(self.gateway_id)["cut"],
        )
        self.close(self.session, reason)
        self.assertEqual([], self.beat(self.gateway_id)["cut"])
        self.assert_refused(
            self.open(secret=self.session["secret"]), 404, "invalid_secret"
        )

    def test_revoked_token_cuts_its_sessions_only(self):
        other = self.opened(token=self.issue())
        reply = self.member.delete(f"/os-console-auth-tokens/{self.token}")
        self.assertEqual(204, reply.status)
        self.assert_cut("revoked")
        self.assertIsNone(self.row(other).cut_reason)

    def test_cut_session_is_not_opened_again(self):
        other = self.opened(token=self.token)
        reply = self.member.delete(
            f"/os-console-sessions/{self.session['id']}"
        )
        self.assertEqual(204, reply.status)
        self.assert_refused(self.open(token=self.token), 404, "invalid_token")
        self.assert_cut("cut")
        self.assertIsNone(self.row(other).cut_reason)

    def test_revoked_remote_consoles_cut_sessions(self):
        tokens = tables.console_auth_tokens
        self.database.execute(
            tokens.delete().where(tokens.c.server_id == self.server_id)
        )
        reply = self.member.delete(
            f"/servers/{self.server_id}/remote-consoles", version="2.6"
        )
        self.assertEqual(204, reply.status)
        self.assert_cut("revoked")

    def test_deleted_server_cuts_its_sessions(self):
        servers.delete(self.writer, self.server_id)
        self.assert_cut("revoked")

    def test_moved_server_cuts_its_sessions(self):
        for changes, endpoints in (
            ({"project_id": "other"}, {}),
            ({"compute_host": "elsewhere"}, {}),
            ({}, {"vnc": servers.Endpoint("192.0.2.11", 5901)}),
        ):
            with self.subTest(changes or endpoints):
                server_id = self.make_server()
                self.server_id = server_id
                self.session = self.opened(token=self.issue())
                servers.update(self.writer, server_id, changes, endpoints)
                self.assert_cut("revoked")

    def test_renamed_server_keeps_its_sessions(self):
        servers.update(self.writer, self.server_id, {"name": "x"}, {})
        self.assertEqual([], self.beat(self.gateway_id)["cut"])

    def test_lost_session_of_deleted_server_is_not_resumed(self):
        self.close(self.session)
        servers.delete(self.writer, self.server_id)
        self.assertIsNone(self.row(self.session).cut_reason)
        self.assertEqual(
            "connection_lost", self.row(self.session).close_reason
        )
        self.assert_refused(
            self.open(secret=self.session["secret"]), 404, "invalid_secret"
        )

    def test_pending_session_ends_at_once(self):
        pending = self.opened(token=self.issue(), connect=False)
        servers.delete(self.writer, self.server_id)
        row = self.row(pending)
        self.assertEqual("revoked", row.close_reason)
        self.assertIsNotNone(row.closed_at)
        self.assert_refused(
            self.open(secret=pending["secret"]), 404, "invalid_secret"
        )
