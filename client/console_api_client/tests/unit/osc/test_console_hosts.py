# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from console_api_client.tests.base import CloudCase

HOST: dict[str, Any] = {
    "host": "console-1",
    "console_type": "vnc",
    "public_hostname": "consoles.example.org",
    "compute_hosts": ["a*", "b?"],
    "ports": {"min": 5900, "max": 5999},
    "ports_used": 1,
    "consoles": 3,
    "served": 1,
    "failed": 2,
    "enabled": True,
    "state": "failing",
    "trouble": "The driver failed.",
    "version": "1.0.0",
    "driver": "vnc",
    "last_seen_at": "2026-01-15T12:00:00+00:00",
}
PATH = "console /os-console-hosts"


class ConsoleHostCase(CloudCase):
    def add_hosts(self, *hosts: dict[str, Any]) -> None:
        self.answers[f"GET {PATH}"] = (
            200,
            {"console_hosts": [{**HOST, **host} for host in hosts]},
        )


class ListTests(ConsoleHostCase):
    def row(self, **values: Any) -> dict[str, Any]:
        self.add_hosts(values)
        [row] = self.json("console", "host", "list")
        return {
            column.lower().replace(" ", "_"): cell
            for column, cell in row.items()
        }

    def test_json_equals_the_response(self) -> None:
        self.assertEqual(HOST, self.row())
        never = {
            "last_seen_at": None,
            "state": "down",
            "served": None,
            "failed": None,
            "trouble": None,
            "enabled": False,
        }
        self.assertEqual({**HOST, **never}, self.row(**never))

    def test_table_shows_ports_as_options_take_them(self) -> None:
        for ports, text in (
            ({"min": 5900, "max": 5999}, "5900-5999"),
            ({"multiplex": 443}, "443 (multiplexed)"),
        ):
            self.add_hosts({"ports": ports})
            listed = self.openstack("console", "host", "list", "-c", "Ports")
            self.assertIn(f" {text} ", listed.stdout)


class ShowTests(ConsoleHostCase):
    def test_show_prints_the_console_host(self) -> None:
        self.add_hosts({}, {"host": "console-2"})
        self.answers[f"GET {PATH}/vnc/console-1"] = (
            200,
            {"console_host": HOST},
        )
        shown = self.json("console", "host", "show", "console-1")
        self.assertEqual(HOST, shown)

    def test_unknown_name_is_refused(self) -> None:
        self.add_hosts({})
        self.assert_refused(
            "No console host has the name console-2.",
            *("console", "host", "show", "console-2"),
        )

    def test_one_of_several_types_must_be_chosen(self) -> None:
        self.add_hosts({}, {"console_type": "vnc+xvp"})
        self.assert_refused(
            "Choose one with --type: vnc, vnc+xvp",
            *("console", "host", "show", "console-1"),
        )


class SetTests(ConsoleHostCase):
    def test_set_enables_and_disables(self) -> None:
        self.add_hosts({})
        request = f"PUT {PATH}/vnc/console-1"
        self.answers[request] = (200, {"console_host": HOST})
        for option, enabled in (("--enable", True), ("--disable", False)):
            self.openstack("console", "host", "set", option, "console-1")
            self.assertEqual(
                {"console_host": {"enabled": enabled}},
                self.cloud.bodies[request],
            )

    def test_set_requires_a_change(self) -> None:
        outcome = self.openstack(
            "console", "host", "set", "console-1", status=2
        )
        self.assertIn("--enable --disable is required", outcome.stderr)
