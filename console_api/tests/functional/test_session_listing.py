# SPDX-License-Identifier: Apache-2.0
"""Users list, show and cut sessions through gateways."""

import datetime as dt
import time
import uuid

from console_api.db import tables
from console_api.tests.functional import base
from console_api.tests.functional.session_base import PATH, SessionTestCase

_sessions = tables.console_sessions


class ListingTestCase(SessionTestCase):
    def listed(self, query="", client=None):
        """Return the IDs of the listed sessions."""
        reply = (client or self.member).get(f"{PATH}?{query}")
        self.assertEqual(200, reply.status, reply.body)
        return [session["id"] for session in reply.json["sessions"]]

    def shown(self, session):
        """Return a session as the API shows it."""
        reply = self.member.get(f"{PATH}/{session['id']}")
        self.assertEqual(200, reply.status, reply.body)
        return reply.json["session"]

    def lose_gateway(self):
        """Let the gateway miss its heartbeats."""
        gateways = tables.console_gateways
        self.database.execute(
            gateways.update()
            .where(gateways.c.id == self.gateway_id)
            .values(last_seen_at=gateways.c.last_seen_at - 1000)
        )


@base.on_each_database
class ListTests(ListingTestCase):
    def test_session_is_shown(self):
        session = self.opened(token=self.issue(), proxy_address="2001:db8::1")
        self.beat(
            self.gateway_id,
            {
                "id": session["id"],
                "bytes_in": 3,
                "bytes_out": 2**40,
                "idle_seconds": 0,
            },
        )
        shown = self.shown(session)
        for name in ("created_at", "connected_at", "last_activity_at"):
            at = dt.datetime.fromisoformat(shown.pop(name))
            self.assertLess(abs(at.timestamp() - time.time()), 60)
        self.assertEqual(
            {
                "id": session["id"],
                "server_id": self.server_id,
                "project_id": self.project,
                "user_id": "user",
                "console_type": "novnc",
                "view_only": False,
                "gateway": "gateway-1",
                "client_address": "192.0.2.7",
                "proxy_address": "2001:db8::1",
                "state": "open",
                "closed_at": None,
                "close_reason": None,
                "bytes_in": 3,
                "bytes_out": 2**40,
                "resumed_from": None,
            },
            shown,
        )

    def test_open_sessions_are_listed_by_default(self):
        opened = self.opened(token=self.issue())
        pending = self.opened(token=self.issue(), connect=False)
        closed = self.opened(token=self.issue())
        self.close(closed, "client_closed")
        self.assertEqual([opened["id"]], self.listed())
        for state, session in (
            ("open", opened),
            ("pending", pending),
            ("closed", closed),
        ):
            with self.subTest(state):
                self.assertEqual(
                    [session["id"]], self.listed(f"state={state}")
                )
                self.assertEqual(state, self.shown(session)["state"])

    def test_filters(self):
        session = self.opened(token=self.issue())
        self.server_id = self.make_server()
        other = self.opened(token=self.issue(), gateway="gateway-2")
        for query, expected in (
            (f"server_id={self.server_id.upper()}", [other]),
            ("gateway=gateway-1", [session]),
            ("gateway=gateway-2", [other]),
            ("user_id=user", [session, other]),
            ("user_id=other", []),
            (f"project_id={self.project}", [session, other]),
        ):
            with self.subTest(query):
                self.assertEqual(
                    sorted(each["id"] for each in expected), self.listed(query)
                )

    def test_pages(self):
        token = self.issue()
        ids = sorted(self.opened(token=token)["id"] for _ in range(5))
        found = []
        url = f"{PATH}?limit=2"
        while url:
            reply = self.member.get(url)
            found += [each["id"] for each in reply.json["sessions"]]
            [link] = reply.json.get("sessions_links", [{"href": ""}])
            url = link["href"] and PATH + link["href"].partition(PATH)[2]
        self.assertEqual(ids, found)

    def test_other_projects_require_a_rule(self):
        session = self.opened(token=self.issue())
        project = uuid.uuid4().hex
        other = self.client("user", project=project)
        self.assertEqual([], self.listed(client=other))
        for query in ("all_projects=true", f"project_id={self.project}"):
            with self.subTest(query):
                reply = other.get(f"{PATH}?{query}")
                self.assert_fault(reply, 403)
                admin = self.client("admin", project=project)
                self.assertIn(session["id"], self.listed(query, admin))

    def test_malformed_queries_are_refused(self):
        for query in ("state=lost", "limit=0", "marker=1", "unknown=1"):
            with self.subTest(query):
                self.assert_fault(self.member.get(f"{PATH}?{query}"), 400)


@base.on_each_database
class DerivedStateTests(ListingTestCase):
    def test_session_of_lost_gateway_is_closed_until_it_returns(self):
        session = self.opened(token=self.issue())
        self.lose_gateway()
        self.assertEqual([], self.listed())
        self.assertEqual([session["id"]], self.listed("state=closed"))
        shown = self.shown(session)
        self.assertEqual(
            ("closed", "gateway_lost"), (shown["state"], shown["close_reason"])
        )
        self.assertIsNotNone(shown["closed_at"])
        self.beat(self.gateway_id)
        self.assertEqual([session["id"]], self.listed())

    def test_session_that_was_never_connected_is_closed(self):
        session = self.opened(token=self.issue(), connect=False)
        self.database.execute(
            _sessions.update()
            .where(_sessions.c.id == session["id"])
            .values(created_at=_sessions.c.created_at - 121)
        )
        self.assertEqual([], self.listed("state=pending"))
        shown = self.shown(session)
        self.assertEqual(
            ("closed", "not_connected"),
            (shown["state"], shown["close_reason"]),
        )

    def test_resumed_session_names_its_predecessor(self):
        first = self.opened(token=self.issue())
        self.close(first)
        second = self.opened(secret=first["secret"])
        self.assertEqual(first["id"], self.shown(second)["resumed_from"])
        self.assertEqual([second["id"]], self.listed())


@base.on_each_database
class DeleteTests(ListingTestCase):
    def delete(self, session, client=None):
        return (client or self.member).delete(f"{PATH}/{session['id']}")

    def test_deleted_session_is_cut(self):
        session = self.opened(token=self.issue())
        for _ in range(2):
            self.assertEqual(204, self.delete(session).status)
        self.assertEqual(
            [{"id": session["id"], "reason": "cut"}],
            self.beat(self.gateway_id)["cut"],
        )
        self.close(session, "cut")
        self.assertEqual("cut", self.shown(session)["close_reason"])
        self.assertEqual(204, self.delete(session).status)
        self.assert_refused(
            self.open(secret=session["secret"]), 404, "invalid_secret"
        )

    def test_reader_must_not_cut(self):
        session = self.opened(token=self.issue())
        reader = self.client("carol", roles="reader")
        self.assert_fault(self.delete(session, reader), 403)
        self.assertIsNone(self.row(session).cut_reason)

    def test_session_of_other_project_looks_like_unknown_one(self):
        session = self.opened(token=self.issue())
        other = self.client("user", project=uuid.uuid4().hex)
        for id_ in (session["id"], str(uuid.uuid4()), "x", "%00"):
            with self.subTest(id_):
                path = f"{PATH}/{id_}"
                self.assert_fault(other.get(path), 404)
                self.assert_fault(other.delete(path), 404)
        self.assertIsNone(self.row(session).cut_reason)
