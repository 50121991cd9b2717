# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from unittest import mock
from urllib.parse import parse_qs, urlsplit

from console_api_client.tests.base import CloudCase
from console_api_client.tests.cloud import SERVER, Answer

CONSOLE = {
    "id": 7,
    "server_id": SERVER,
    "project_id": "demo",
    "console_type": "vnc",
    "instance_name": "instance-1",
    "console_host": "console-1",
    "host": "consoles.example.org",
    "port": 5919,
    "state": "failed",
    "reason": "It is used.",
    "created_at": "2026-01-15T12:00:00Z",
    "expires_at": "2026-01-16T12:00:00Z",
}


class ListTests(CloudCase):
    def setUp(self) -> None:
        super().setUp()
        self.query: dict[str, list[str]] = {}
        find = self.cloud.find

        def find_list(request: str) -> Answer | list[Answer]:
            url = urlsplit(request.rsplit(maxsplit=1)[-1])
            if url.path != "/os-consoles":
                return find(request)
            self.query = parse_qs(url.query)
            return 200, {"consoles": [CONSOLE]}

        patch = mock.patch.object(self.cloud, "find", find_list)
        patch.start()
        self.addCleanup(patch.stop)

    def test_list_has_the_state_of_each_console(self) -> None:
        self.assertEqual(
            [
                {
                    "ID": 7,
                    "Server ID": SERVER,
                    "Console Type": "vnc",
                    "Host": "consoles.example.org",
                    "Port": 5919,
                    "State": "failed",
                }
            ],
            self.json("console", "list"),
        )
        self.assertEqual({}, self.query)

    def test_long_list_has_all_values(self) -> None:
        [row] = self.json("console", "list", "--long")
        self.assertEqual(set(CONSOLE.values()), set(row.values()))

    def test_filters_are_sent(self) -> None:
        self.json(
            *("console", "list", "--all-projects", "--server", "web-1"),
            *("--host", "console-1", "--state", "failed"),
        )
        self.assertEqual(
            {
                "all_projects": ["true"],
                "server_id": [SERVER],
                "console_host": ["console-1"],
                "state": ["failed"],
            },
            self.query,
        )
