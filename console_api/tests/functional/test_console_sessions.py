# SPDX-License-Identifier: Apache-2.0
import threading
import uuid

import sqlalchemy as sa

from console_api.db import tables
from console_api.tests.functional import base
from console_api.tests.functional.session_base import SessionTestCase

_sessions = tables.console_sessions


@base.on_each_database
class OpenTests(SessionTestCase):
    def test_token_opens_session(self):
        session = self.opened(token=self.issue())
        self.assertRegex(session.pop("secret"), r"^[A-Za-z0-9_-]{43}\Z")
        self.assertEqual(
            {
                "id": session["id"],
                "server_id": self.server_id,
                "project_id": self.project,
                "user_id": "user",
                "console_type": "novnc",
                "protocol": "vnc",
                "compute_host": self.compute_host,
                "host": "192.0.2.10",
                "port": 5900,
                "tls_port": None,
                "internal_access_path": None,
                "view_only": False,
                "exclusive": False,
                "max_duration": 43200,
                "idle_timeout": 3600,
                "resume_timeout": 120,
            },
            session,
        )

    def test_token_can_be_used_again(self):
        token = self.issue()
        self.assertNotEqual(
            self.opened(token=token)["id"], self.opened(token=token)["id"]
        )

    def test_neither_token_nor_secret_is_stored(self):
        token = self.issue()
        secret = self.opened(token=token)["secret"]
        stored = str(self.database.rows(sa.select(_sessions)))
        self.assertNotIn(token, stored)
        self.assertNotIn(secret, stored)

    def test_invalid_token_is_refused(self):
        for token in ("x", "\0", "\u20ac", "y" * 1024):
            with self.subTest(token):
                self.assert_refused(
                    self.open(token=token), 404, "invalid_token"
                )

    def test_malformed_requests_are_refused(self):
        token = self.issue()
        for values in (
            {},
            {"token": token, "secret": "x"},
            {"token": ""},
            {"token": 1},
            {"token": token, "gateway_id": "1"},
            {"token": token, "client_address": "a b"},
            {"token": token, "client_address": "x" * 65},
            {"token": token, "unknown": 1},
        ):
            with self.subTest(values):
                self.assertEqual(400, self.open(**values).status)

    def test_member_must_not_open_sessions(self):
        reply = self.open(self.member, token=self.issue())
        self.assertEqual(403, reply.status)

    def test_unknown_gateway_is_refused(self):
        reply = self.open(token=self.issue(), gateway_id=str(uuid.uuid4()))
        self.assert_refused(reply, 409, "unknown_gateway")
        self.assertEqual("1", reply.headers["Retry-After"])

    def test_revoked_token_is_refused(self):
        token = self.issue()
        self.database.execute(
            tables.console_auth_tokens.delete().where(
                tables.console_auth_tokens.c.server_id == self.server_id
            )
        )
        self.assert_refused(self.open(token=token), 404, "invalid_token")


@base.on_each_database
class ResumeTests(SessionTestCase):
    def test_lost_session_is_resumed_once(self):
        first = self.opened(token=self.issue())
        self.close(first)
        second = self.opened(secret=first["secret"])
        self.assertNotEqual(first["id"], second["id"])
        self.assertNotIn("secret", second)
        self.assertEqual(first["id"], self.row(second).resumed_from)
        self.assertLessEqual(second["max_duration"], first["max_duration"])

    def test_open_session_is_taken_over(self):
        first = self.opened(token=self.issue())
        second = self.opened(secret=first["secret"])
        self.assertEqual(
            [{"id": first["id"], "reason": "taken_over"}],
            self.beat(self.gateway_id)["cut"],
        )
        self.close(first, "taken_over")
        self.assertEqual([], self.beat(self.gateway_id)["cut"])
        self.assertIsNone(self.row(second).closed_at)

    def test_exchanged_token_is_connected_as_same_session(self):
        pending = self.opened(token=self.issue(), connect=False)
        self.assertIsNone(self.row(pending).connected_at)
        connected = self.opened(secret=pending["secret"])
        self.assertEqual(pending["id"], connected["id"])
        self.assertIsNotNone(self.row(pending).connected_at)

    def test_cut_session_is_not_resumed(self):
        for reason in ("cut", "revoked", "locked", "idle_timeout"):
            with self.subTest(reason):
                session = self.opened(token=self.issue())
                self.close(session, reason)
                self.assert_refused(
                    self.open(secret=session["secret"]), 404, "invalid_secret"
                )

    def test_session_is_not_resumed_too_late(self):
        for column, is_connected in (
            ("closed_at", True),
            ("created_at", False),
        ):
            with self.subTest(column):
                session = self.opened(token=self.issue(), connect=is_connected)
                self.database.execute(
                    _sessions.update()
                    .where(_sessions.c.id == session["id"])
                    .values({column: self.row(session).created_at - 121})
                )
                self.assert_refused(
                    self.open(secret=session["secret"]), 404, "invalid_secret"
                )

    def test_session_id_opens_nothing(self):
        session = self.opened(token=self.issue())
        self.assert_refused(
            self.open(secret=session["id"]), 404, "invalid_secret"
        )


@base.on_each_database
class SingleUseTests(SessionTestCase):
    options = {"tokens": {"single_use": "true"}}
    workers = 2

    def test_token_is_used_once(self):
        token = self.issue()
        session = self.opened(token=token, connect=False)
        self.assert_refused(self.open(token=token), 409, "token_used")
        self.opened(secret=session["secret"])

    def test_used_token_is_not_looked_up_but_revoked(self):
        token = self.issue()
        path = f"/os-console-auth-tokens/{token}"
        self.assertEqual(200, self.admin.get(path, version="2.99").status)
        session = self.opened(token=token)
        self.assert_fault(self.admin.get(path, version="2.99"), 404)
        self.assertEqual(204, self.member.delete(path).status)
        self.assertEqual("revoked", self.row(session).cut_reason)

    def test_one_of_many_concurrent_uses_succeeds(self):
        token = self.issue()
        gateways = [self.gateway_id, self.start_gateway()]
        replies = []

        def use(number):
            client = self.client("admin")
            replies.append(
                self.open(client, token=token, gateway_id=gateways[number % 2])
            )

        threads = [
            threading.Thread(target=use, args=(number,))
            for number in range(100)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = [reply.status for reply in replies]
        self.assertEqual(1, statuses.count(201), statuses)
        self.assertEqual(100, len(statuses))
        self.assertLessEqual(set(statuses), {201, 409, 503})
