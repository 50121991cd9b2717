# SPDX-License-Identifier: Apache-2.0
"""Administrators lock users, projects and hosts out of sessions."""

import uuid

from console_api.tests.functional import base
from console_api.tests.functional.session_base import SessionTestCase

PATH = "/os-console-locks"


@base.on_each_database
class LockTests(SessionTestCase):
    def setUp(self):
        super().setUp()
        self.user = f"user-{uuid.uuid4().hex}"
        self.member = self.client(self.user)

    def put(self, scope, name, reason="audit", client=None):
        """Lock something for the rest of the test."""
        path = f"{PATH}/{scope}/{name}"
        self.addCleanup(self.admin.delete, path)
        body = {"lock": {"reason": reason}}
        return (client or self.admin).put(path, body=body)

    def test_lock_is_created_changed_listed_and_deleted(self):
        for reason in ("audit", "\u00e9\u20ac"):
            reply = self.put("user", self.user, reason)
            self.assertEqual(200, reply.status, reply.body)
            lock = reply.json["lock"]
            self.assertIn(lock, self.admin.get(PATH).json["locks"])
            self.assertTrue(lock.pop("created_at"))
            self.assertEqual(
                {"scope": "user", "name": self.user, "reason": reason}, lock
            )
        path = f"{PATH}/user/{self.user}"
        self.assertEqual(204, self.admin.delete(path).status)
        self.assert_fault(self.admin.delete(path), 404)

    def test_lock_cuts_sessions_and_refuses_new_ones(self):
        session = self.opened(token=self.issue())
        for scope, name in (
            ("user", self.user),
            ("project", self.project),
            ("host", self.compute_host),
        ):
            with self.subTest(scope):
                self.put(scope, name)
                self.assertEqual(
                    [{"id": session["id"], "reason": "locked"}],
                    self.beat(self.gateway_id)["cut"],
                )
                for credential in (
                    {"token": self.issue()},
                    {"token": self.issue(), "connect": False},
                    {"secret": session["secret"]},
                ):
                    self.assert_refused(self.open(**credential), 403, "locked")
                self.admin.delete(f"{PATH}/{scope}/{name}")
                self.assertEqual([], self.beat(self.gateway_id)["cut"])

    def test_lock_of_gateway_refuses_its_sessions(self):
        name = f"gateway-{uuid.uuid4().hex}"
        session = self.opened(token=self.issue(), gateway=name)
        self.put("host", name)
        self.assertEqual(
            [{"id": session["id"], "reason": "locked"}],
            self.beat(self.gateway_id)["cut"],
        )
        self.assert_refused(
            self.open(token=self.issue(), gateway=name), 403, "locked"
        )
        self.opened(token=self.issue())

    def test_pending_session_is_not_connected(self):
        pending = self.opened(token=self.issue(), connect=False)
        self.put("user", self.user)
        self.assert_refused(self.open(secret=pending["secret"]), 403, "locked")

    def test_malformed_requests_are_refused(self):
        self.assert_fault(self.put("server", "x"), 404)
        self.assert_fault(self.put("user", "%00"), 400)
        self.assert_fault(self.put("user", "x" * 256), 400)
        for reason in ("", "a\nb", 1, "x" * 501):
            with self.subTest(reason):
                self.assert_fault(self.put("user", "x", reason), 400)

    def test_members_must_not_lock(self):
        self.assert_fault(self.put("user", "x", client=self.member), 403)
        self.assert_fault(self.member.get(PATH), 403)
        self.assert_fault(self.member.delete(f"{PATH}/user/x"), 403)
