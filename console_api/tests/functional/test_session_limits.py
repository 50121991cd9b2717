# SPDX-License-Identifier: Apache-2.0
import uuid

from console_api import conf
from console_api.db import console_session_purge, tables
from console_api.db.engine import Database
from console_api.tests.functional import base, configuration
from console_api.tests.functional.session_base import SessionTestCase
from console_api.tests.functional.test_concurrency import at_once


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
        replies = at_once(20 * [lambda: self.open_as_gateway(token)])
        statuses = [reply.status for reply in replies]
        self.assertEqual(2, statuses.count(201), statuses)

    def open_as_gateway(self, token):
        """Open a session by a connection of its own."""
        return self.open(self.client("admin"), token=token)

    def test_limit_holds_while_scopes_are_purged(self):
        database = Database(
            conf.load(
                configuration.write(
                    configuration.temporary_folder(), self.database
                )
            )
        )
        self.addCleanup(database.close)
        sessions = tables.console_sessions

        def purge():
            for _ in range(10):
                console_session_purge.purge_scopes(database, 100)

        token = self.issue()
        for _ in range(10):
            _, *replies = at_once(
                [purge, *(8 * [lambda: self.open_as_gateway(token)])]
            )
            statuses = [reply.status for reply in replies]
            self.assertEqual(2, statuses.count(201), statuses)
            self.database.execute(
                sessions.delete().where(sessions.c.server_id == self.server_id)
            )
