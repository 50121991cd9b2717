# SPDX-License-Identifier: Apache-2.0
from typing import Any

from console_api.osc import console_hosts
from console_api.tests.unit.osc.base import CommandCase

HOST = {
    "host": "console-1",
    "console_type": "vnc",
    "public_hostname": "consoles.example.org",
    "compute_hosts": ["a*", "b?"],
    "ports": {"min": 1, "max": 2},
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


class ListTest(CommandCase):
    def row(self, **values: Any) -> dict[str, Any]:
        self.answers["get", "/os-console-hosts"] = (
            200,
            {"console_hosts": [{**HOST, **values}]},
        )
        columns, [row] = self.run_command(console_hosts.ListConsoleHost)
        return {
            column.lower().replace(" ", "_"): getattr(
                cell, "machine_readable", lambda cell=cell: cell
            )()
            for column, cell in zip(columns, row, strict=True)
        }

    def test_machine_readable_columns_equal_the_response(self) -> None:
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

    def test_tables_show_ports_as_options_take_them(self) -> None:
        for ports, text in (
            ({"min": 5900, "max": 5999}, "5900-5999"),
            ({"multiplex": 443}, "443 (multiplexed)"),
        ):
            self.assertEqual(text, console_hosts.Ports(ports).human_readable())
