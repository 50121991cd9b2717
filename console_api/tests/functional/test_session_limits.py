# SPDX-License-Identifier: Apache-2.0
import threading
import uuid

from console_api.tests.functional import base
from console_api.tests.functional.session_base import SessionTestCase


@base.on_each_database
class LimitTests(SessionTestCase):
    workers = 2
    options = {
        "sessions": {
            "max_per_token": "2",
            "max_per_user": "3",
            "max_per_server": "4",
            "max_per_project": "5",
        }
    }

    def setUp(self):
        super().setUp()
        self.member = self.client(f"user-{uuid.uuid4().hex}")

    def test_each_limit_names_itself(self):
        token = self.issue()
        self.opened(token=token)
        last = self.opened(token=token)
        reply = self.open(token=token)
        self.assert_refused(reply, 429, "token_limit")
        self.assertEqual("10", reply.headers["Retry-After"])
        self.opened(token=self.issue())
        self.assert_refused(self.open(token=self.issue()), 429, "user_limit")
        self.close(last)
        self.opened(token=self.issue())

    def test_pending_sessions_count(self):
        token = self.issue()
        for _ in range(2):
            self.opened(token=token, connect=False)
        self.assert_refused(self.open(token=token), 429, "token_limit")

    def test_limit_holds_under_concurrency(self):
        token = self.issue()
        replies = []
        threads = [
            threading.Thread(
                target=lambda: replies.append(
                    self.open(self.client("admin"), token=token)
                )
            )
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = [reply.status for reply in replies]
        self.assertEqual(2, statuses.count(201), statuses)
