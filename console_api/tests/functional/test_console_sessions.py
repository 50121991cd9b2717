# SPDX-License-Identifier: Apache-2.0
"""Gateways open, resume, report and close sessions over HTTP."""

import threading
import uuid

import sqlalchemy as sa

from console_api.db import tables
from console_api.tests.functional import base
from console_api.tests.functional.remote_consoles import request_body

PATH = "/os-console-sessions"

_sessions = tables.console_sessions


class SessionTestCase(base.FunctionalTestCase):
    """Each test has a gateway and a server."""

    def setUp(self):
        super().setUp()
        self.server_id = self.make_server()
        self.gateway_id = self.start_gateway()

    def start_gateway(self):
        """Send the first heartbeat of a new worker; return its ID."""
        gateway_id = str(uuid.uuid4())
        self.assertEqual([], self.beat(gateway_id, complete=True)["cut"])
        return gateway_id

    def beat(self, gateway_id, *sessions, complete=False):
        """Send a heartbeat; return the response."""
        reply = self.admin.put(
            f"/os-console-gateways/{gateway_id}",
            body={
                "gateway": {
                    "name": "gateway-1",
                    "interval": 1,
                    "complete": complete,
                    "sessions": sessions,
                }
            },
        )
        self.assertEqual(200, reply.status, reply.body)
        return reply.json["gateway"]

    def issue(self, console_type="novnc", protocol="vnc"):
        """Issue a token for the server."""
        reply = self.member.post(
            f"/servers/{self.server_id}/remote-consoles",
            body=request_body(protocol, console_type),
            version="2.6",
        )
        self.assertEqual(200, reply.status, reply.body)
        return base.token_of(reply.json["remote_console"]["url"])

    def open(self, client=None, **values):
        """Send a request to open a session."""
        return (client or self.admin).post(
            PATH,
            body={
                "session": {
                    "gateway_id": self.gateway_id,
                    "gateway": "gateway-1",
                    "client_address": "192.0.2.7",
                    **values,
                }
            },
        )

    def opened(self, **values):
        """Open a session."""
        reply = self.open(**values)
        self.assertEqual(201, reply.status, reply.body)
        return reply.json["session"]

    def assert_refused(self, reply, status, reason):
        """Assert that a session was refused for a reason."""
        self.assertEqual(status, reply.status, reply.body)
        [fault] = reply.json.values()
        self.assertEqual(reason, fault["reason"])

    def close(self, session, reason="connection_lost"):
        """Report the end of a session."""
        reply = self.admin.post(
            f"/os-console-gateways/{self.gateway_id}/close",
            body={
                "sessions": [
                    {
                        "id": session["id"],
                        "reason": reason,
                        "bytes_in": 1,
                        "bytes_out": 2,
                    }
                ]
            },
        )
        self.assertEqual(204, reply.status, reply.body)

    def row(self, session):
        """Return the row of a session."""
        [row] = self.database.rows(
            sa.select(_sessions).where(_sessions.c.id == session["id"])
        )
        return row


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
