# SPDX-License-Identifier: Apache-2.0
"""The commands for sessions and locks, with a real gateway and display."""

import time

from console_api.gateway.close_reasons import CloseReason
from console_api.tests.functional import base, vnc_servers
from console_api.tests.functional.base import token_of
from console_api.tests.functional.gateways import GatewayTestCase
from console_api.tests.functional.test_openstackclient import (
    OpenStackClientCase,
)

SESSION = ("console", "session")
LOCK = ("console", "lock")

#: Seconds until a session that was cut has to be over.
CUT_TIME = 2


# Independent of the database.
@base.on_databases("sqlite")
class SessionCommandTests(OpenStackClientCase, GatewayTestCase):
    def setUp(self):
        super().setUp()
        display = vnc_servers.xvnc()
        self.addCleanup(display.stop)
        self.server_id = self.make_server(
            endpoints={"vnc": {"host": "127.0.0.1", "port": display.port}}
        )

    def view(self):
        """Connect a viewer, and wait until it has the screen."""
        token = self.issue_token(self.server_id)
        viewer = self.gateway.viewer(f"/?token={token}")
        self.addCleanup(viewer.socket.close)
        viewer.begin()
        return viewer

    def sessions(self, *arguments, **kwargs):
        """Return the listed sessions of the server."""
        return self.json(
            *(*SESSION, "list", "--server", self.server_id, *arguments),
            **kwargs,
        )

    def assert_closed(self, viewer, reason):
        """Assert that the viewer is disconnected, for a reason."""
        closed = viewer.socket.wait_until_closed()
        self.assertEqual(reason.code, closed.code)

    def test_session_is_listed_shown_and_cut(self):
        viewer = self.view()
        other = self.view()
        first, second = self.sessions()
        self.assertEqual("127.0.0.1", first["Client Address"])
        self.assertEqual("open", second["State"])
        shown = self.json(*SESSION, "show", first["ID"])
        self.assertEqual(self.server_id, shown["server_id"])
        self.assertFalse(shown["view_only"])
        self.openstack(*SESSION, "delete", first["ID"], second["ID"])
        for each in (viewer, other):
            self.assert_closed(each, CloseReason.CUT)
        self.eventually(lambda: not self.sessions())
        rows = self.sessions("--state", "closed", "--long")
        self.assertEqual(["cut"] * 2, [row["Close Reason"] for row in rows])
        self.assertLess(0, rows[0]["Bytes Out"])

    def test_sessions_are_cut_in_time(self):
        durations = []
        # The machine may stand still, but not each time.
        for _ in range(3):
            viewer = self.view()
            [session] = self.sessions()
            self.openstack(*SESSION, "delete", session["ID"])
            start = time.monotonic()
            self.assert_closed(viewer, CloseReason.CUT)
            durations.append(time.monotonic() - start)
            self.eventually(lambda: not self.sessions())
        self.assertLess(min(durations), CUT_TIME)

    def test_view_only_url_opens_view_only_session(self):
        command = ("server", "console", "url", self.server_id)
        for options, is_view_only in (((), False), (("--view-only",), True)):
            shown = self.json(*command, *options)
            viewer = self.gateway.viewer(f"/?token={token_of(shown['url'])}")
            self.addCleanup(viewer.socket.close)
            viewer.begin()
            [row] = self.sessions("--long")
            self.assertEqual(is_view_only, row["View Only"])
            self.openstack(*SESSION, "delete", row["ID"])
            self.assert_closed(viewer, CloseReason.CUT)
            self.eventually(lambda: not self.sessions())

    def test_sessions_of_all_projects_are_for_administrators(self):
        self.view()
        gateway = self.sessions("--long")[0]["Gateway"]
        listing = (*SESSION, "list", "--gateway", gateway, "--all-projects")
        [row] = self.json(*listing, user="admin")
        self.assertEqual(self.server_id, row["Server ID"])
        self.assert_refused("Policy doesn't allow", *listing)

    def test_locked_project_has_no_sessions(self):
        viewer = self.view()
        what = ("project", self.project)
        self.openstack(*LOCK, "set", *what, "--reason", "audit", user="admin")
        self.addCleanup(
            self.admin.delete, f"/os-console-locks/project/{self.project}"
        )
        self.assert_closed(viewer, CloseReason.LOCKED)
        [lock] = [
            lock
            for lock in self.json(*LOCK, "list", user="admin")
            if lock["Name"] == self.project
        ]
        self.assertEqual("audit", lock["Reason"])
        token = self.issue_token(self.server_id)
        refused = self.gateway.connect(f"/?token={token}")
        self.addCleanup(refused.close)
        code = refused.wait_until_closed().code
        self.assertEqual(CloseReason.LOCKED.code, code)
        self.openstack(*LOCK, "unset", *what, user="admin")
        self.view()
        self.assert_refused(
            "only administrators of the cloud", *LOCK, "unset", *what
        )

    def test_revoking_the_tokens_of_the_server_cuts_its_sessions(self):
        viewer = self.view()
        self.openstack(
            "console", "token", "revoke", "--server", self.server_id
        )
        self.assert_closed(viewer, CloseReason.REVOKED)
