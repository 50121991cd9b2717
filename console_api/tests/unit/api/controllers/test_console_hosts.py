# SPDX-License-Identifier: Apache-2.0
import json
from typing import Any

from console_api import errors
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


class ItemCase(ControllerCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_console_host(
            "host.example.org", console_type="vnc+xvp", compute_hosts=("x",)
        )

    def show(
        self, host: str = "host.example.org", console_type: str = "vnc+xvp"
    ) -> Any:
        reply = console_hosts.show(
            self.request(host=host, console_type=console_type)
        )
        self.assertEqual(200, reply.status)
        return json.loads(reply.body)["console_host"]

    def enable(self, host: str, console_type: str, *, enabled: bool) -> Any:
        reply = console_hosts.update(
            self.request(
                host=host,
                console_type=console_type,
                body={"console_host": {"enabled": enabled}},
            )
        )
        self.assertEqual(200, reply.status)
        return json.loads(reply.body)["console_host"]


class ShowTest(ItemCase):
    def test_show_is_as_in_the_list(self) -> None:
        reply = console_hosts.index(self.request())
        self.assertIn(self.show(), json.loads(reply.body)["console_hosts"])

    def test_name_in_path_is_utf_8(self) -> None:
        self.add_console_host("h\u00f6st")
        name = "h\u00f6st".encode().decode("latin-1")
        self.assertEqual("h\u00f6st", self.show(name, "vnc")["host"])

    def test_unknown_host_is_not_found(self) -> None:
        for host, console_type in (
            ("host.example.org", "vnc"),
            ("host", "vnc+xvp"),
            ("host.example.org\0", "vnc+xvp"),
            ("host.example.org", "\0"),
            ("\xff", "vnc+xvp"),
            ("x" * 10_000, "y" * 10_000),
            ("%", "%"),
        ):
            with (
                self.subTest(host[:40], console_type=console_type[:40]),
                self.assertRaises(errors.ConsoleHostNotFound),
            ):
                self.show(host, console_type)


class UpdateTest(ItemCase):
    def test_update_shows_changed_host(self) -> None:
        before = self.show()
        for enabled in (False, False, True, True):
            changed = self.enable(
                "host.example.org", "vnc+xvp", enabled=enabled
            )
            self.assertEqual({**before, "enabled": enabled}, changed)
            self.assertEqual(changed, self.show())

    def test_disabled_host_gets_no_new_consoles(self) -> None:
        self.enable("console-1", "vnc", enabled=False)
        with self.assertRaises(errors.NoConsoleHost):
            self.service.consoles.create(self.server)
        self.enable("console-1", "vnc", enabled=True)
        self.service.consoles.create(self.server)
        self.enable("console-1", "vnc", enabled=False)
        self.assertEqual(1, self.console_host().console_count)

    def test_unknown_host_is_not_found(self) -> None:
        with self.assertRaisesRegex(
            errors.ConsoleHostNotFound,
            "host other with console type vnc could not be found",
        ):
            self.enable("other", "vnc", enabled=False)
