# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from unittest import mock
from urllib.parse import parse_qs, urlsplit

from console_api_client.tests.base import CloudCase
from console_api_client.tests.cloud import SERVER, Answer, fault

ID = "5c5f0cc6-3c3b-4b6c-9d5e-0a7d3c1f6b52"
OTHER_ID = "9a0b64f7-58d2-4b3a-8f0e-6d5c4b3a2910"
PATH = f"console /os-console-sessions/{ID}"

SESSION = {
    "id": ID,
    "server_id": SERVER,
    "project_id": "demo",
    "user_id": "alice",
    "console_type": "novnc",
    "view_only": True,
    "gateway": "gateway-1",
    "client_address": "192.0.2.7",
    "proxy_address": "198.51.100.2",
    "state": "closed",
    "created_at": "2026-01-15T12:00:00+00:00",
    "connected_at": "2026-01-15T12:00:01+00:00",
    "closed_at": "2026-01-15T12:30:00+00:00",
    "close_reason": "cut",
    "bytes_in": 1200,
    "bytes_out": 340000,
    "last_activity_at": "2026-01-15T12:29:59+00:00",
    "resumed_from": OTHER_ID,
}


class ListTests(CloudCase):
    def setUp(self) -> None:
        super().setUp()
        self.query: dict[str, list[str]] = {}
        find = self.cloud.find

        def find_list(request: str) -> Answer | list[Answer]:
            url = urlsplit(request.rsplit(maxsplit=1)[-1])
            if url.path != "/os-console-sessions":
                return find(request)
            self.query = parse_qs(url.query)
            return 200, {"sessions": [SESSION]}

        patch = mock.patch.object(self.cloud, "find", find_list)
        patch.start()
        self.addCleanup(patch.stop)

    def test_list_says_who_is_connected_to_what(self) -> None:
        self.assertEqual(
            [
                {
                    "ID": ID,
                    "Server ID": SERVER,
                    "User ID": "alice",
                    "Console Type": "novnc",
                    "Client Address": "192.0.2.7",
                    "State": "closed",
                    "Connected At": "2026-01-15T12:00:01+00:00",
                }
            ],
            self.json("console", "session", "list"),
        )
        self.assertEqual({}, self.query)

    def test_long_list_has_all_values(self) -> None:
        [row] = self.json("console", "session", "list", "--long")
        self.assertEqual(set(SESSION.values()), set(row.values()))

    def test_filters_are_sent(self) -> None:
        self.json(
            *("console", "session", "list", "--all-projects"),
            *("--server", "web-1", "--user", "alice"),
            *("--gateway", "gateway-1", "--state", "closed"),
        )
        self.assertEqual(
            {
                "all_projects": ["true"],
                "server_id": [SERVER],
                "user_id": ["alice"],
                "gateway": ["gateway-1"],
                "state": ["closed"],
            },
            self.query,
        )

    def test_sessions_of_another_project_are_listed(self) -> None:
        self.json("console", "session", "list", "--project", "other")
        self.assertEqual({"project_id": ["other"]}, self.query)


class OneSessionTests(CloudCase):
    def test_show_has_all_values(self) -> None:
        self.answers[f"GET {PATH}"] = (200, {"session": SESSION})
        self.assertEqual(
            SESSION,
            self.json("console", "session", "show", ID.upper()),
        )

    def test_sessions_are_cut(self) -> None:
        self.answers[f"DELETE {PATH}"] = (204, None)
        self.openstack("console", "session", "delete", ID)
        self.assertEqual([f"DELETE {PATH}"], self.cloud.requests)

    def test_others_are_cut_if_one_is_unknown(self) -> None:
        self.answers[f"DELETE {PATH}"] = (204, None)
        self.answers[f"DELETE console /os-console-sessions/{OTHER_ID}"] = (
            fault(404, "Session could not be found.")
        )
        outcome = self.openstack(
            *("console", "session", "delete", OTHER_ID, ID), status=1
        )
        self.assertIn(
            f"Session {OTHER_ID}: Session could not be found.", outcome.stderr
        )
        self.assertIn("Failed to delete 1 of 2 sessions.", outcome.stderr)
        self.assertIn(f"DELETE {PATH}", self.cloud.requests)

    def test_what_is_no_id_is_refused_without_a_request(self) -> None:
        for action in ("show", "delete"):
            self.assert_refused(
                "'..' is not the ID of a session.",
                *("console", "session", action, ".."),
            )
        self.assertEqual([], self.cloud.requests)
