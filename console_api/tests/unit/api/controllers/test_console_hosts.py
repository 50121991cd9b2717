# SPDX-License-Identifier: Apache-2.0
import json
from typing import Any

from console_api.api.controllers import console_hosts
from console_api.db import heartbeats
from console_api.db.heartbeats import AgentReport
from console_api.tests.unit.api.controllers.base import ControllerCase


class IndexTest(ControllerCase):
    def index(self) -> Any:
        reply = console_hosts.index(self.request())
        self.assertEqual(200, reply.status)
        return json.loads(reply.body)["console_hosts"]

    def test_index_shows_port_range_or_multiplex_port(self) -> None:
        self.add_console_host(
            "console-2",
            min_port=None,
            max_port=None,
            multiplex_port=443,
            last_seen_at=None,
        )
        self.service.consoles.create(self.server)
        first, second = self.index()
        self.assertEqual({"min": 5900, "max": 5909}, first["ports"])
        self.assertEqual(
            ("up", 1, 1),
            (first["state"], first["consoles"], first["ports_used"]),
        )
        self.assertEqual(
            {
                "host": "console-2",
                "console_type": "vnc",
                "public_hostname": "console-2.example.org",
                "compute_hosts": ["compute-*"],
                "ports": {"multiplex": 443},
                "enabled": True,
                "state": "down",
                "trouble": None,
                "consoles": 0,
                "served": None,
                "failed": None,
                "ports_used": 0,
                "version": None,
                "driver": None,
                "last_seen_at": None,
            },
            second,
        )

    def test_index_shows_what_the_agent_reports(self) -> None:
        report = AgentReport("1.0.0", "vnc", "It hurts.", 5, 3, 2)
        heartbeats.record(self.database, self.console_host().id, report)
        [host] = self.index()
        expected = {
            "state": "failing",
            "trouble": "It hurts.",
            "served": 3,
            "failed": 2,
            "version": "1.0.0",
            "driver": "vnc",
        }
        self.assertEqual(expected, {key: host[key] for key in expected})

    def test_index_shows_times_in_utc(self) -> None:
        self.add_console_host("console-0", last_seen_at=1700000000)
        self.assertEqual(
            "2023-11-14T22:13:20+00:00", self.index()[0]["last_seen_at"]
        )
