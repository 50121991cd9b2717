# SPDX-License-Identifier: Apache-2.0
import time
from typing import Any

from console_api.db import (
    console_host_deletion,
    console_problems,
    consoles,
    heartbeats,
    tables,
)
from console_api.db.heartbeats import AgentReport
from console_api.tests.unit import base
from console_api.tests.unit.base import server_id
from console_api.tests.unit.cmd.manage.test_console_hosts import (
    ONE_PORT,
    RANGE,
    ConsoleHostsCase,
)


class ListTest(ConsoleHostsCase):
    def test_tables_show_ports_and_patterns_as_options_take_them(self) -> None:
        self.add_console_host("a", compute_hosts=("x*", "y?"))
        self.add_console_host("b", **ONE_PORT)
        text = self.manage("console-host", "list").stdout
        for expected in ("| x* ", "| y? ", "| 5900-5909 ", "| 443 (multip"):
            self.assertIn(expected, text)

    def test_list_counts_consoles_and_prints_utc(self) -> None:
        self.add_console_host()
        self.add_console()
        self.set_last_seen_at(self.console_host().id, 1700000000)
        [host] = self.list()
        self.assertEqual(1, host["consoles"])
        self.assertEqual("2023-11-14T22:13:20+00:00", host["last_seen_at"])

    def test_list_counts_ports_in_use(self) -> None:
        for ports in (RANGE, ONE_PORT):
            console_host_deletion.delete_with_consoles(
                self.database, "console-1", "vnc"
            )
            self.add_console_host(**ports)
            with self.subTest(ports=ports):
                self.assertEqual(0, self.list()[0]["ports_used"])
                self.add_console()
                self.assertEqual(1, self.list()[0]["ports_used"])

    def test_state_is_up_if_the_agent_reported_recently(self) -> None:
        now = int(time.time())
        for last_seen_at, state in (
            (None, "down"),
            (now - 3600, "down"),
            (now - 20, "up"),
            (now + 3600, "up"),
        ):
            self.add_console_host(last_seen_at=last_seen_at)
            with self.subTest(last_seen_at=last_seen_at):
                self.assertEqual(state, self.list()[0]["state"])
            console_host_deletion.delete(self.database, "console-1", "vnc")

    def test_list_shows_that_no_console_is_served(self) -> None:
        self.add_console_host()
        report = AgentReport("1.0.0", "vnc", served_count=0, failed_count=2)
        heartbeats.record(self.database, self.console_host().id, report)
        [host] = self.list()
        self.assertEqual(
            ("failing", 0, 2), (host["state"], host["served"], host["failed"])
        )


class ShowTest(ConsoleHostsCase):
    def setUp(self) -> None:
        super().setUp()
        self.host = self.add_console_host(max_port=5999)

    def show(self, *arguments: str) -> Any:
        return self.manage(
            *("console-host", "show", "console-1", "-f", "json", *arguments)
        ).json

    def fail_consoles(self, count: int) -> None:
        """Let a console be served, and others not."""
        for number in range(count + 1):
            self.add_server(server_id(number))
            consoles.insert(
                self.database, self.host, base.new_console(server_id(number))
            )
        _, *failed = (row.id for row in self.rows(tables.consoles))
        console_problems.replace(
            self.database, self.host.id, dict.fromkeys(failed, "It is used.")
        )
        report = AgentReport(
            *("1.0.0", "vnc", "Too many files are open."),
            served_revision=count + 1,
            served_count=1,
            failed_count=count,
        )
        heartbeats.record(self.database, self.host.id, report)

    def test_show_has_columns_of_list_and_what_the_agent_reports(
        self,
    ) -> None:
        self.fail_consoles(1)
        shown = self.show()
        _, failed = self.rows(tables.consoles)
        self.assertEqual(
            {
                "trouble": "Too many files are open.",
                "version": "1.0.0",
                "driver": "vnc",
                "failed_consoles": [
                    {
                        "id": failed.id,
                        "server_id": failed.server_id,
                        "port": failed.port,
                        "reason": "It is used.",
                    }
                ],
            },
            {key: shown.pop(key) for key in [*shown][-4:]},
        )
        self.assertEqual(self.list(), [shown])

    def test_number_of_failed_consoles_shown_is_limited(self) -> None:
        self.fail_consoles(23)
        shown = self.show()
        self.assertEqual(
            (23, 20), (shown["failed"], len(shown["failed_consoles"]))
        )
        text = self.manage("console-host", "show", "console-1").stdout
        self.assertEqual(20, text.count(": It is used."))
        self.assertIn("| and 3 more ", text)

    def test_host_without_failed_consoles_is_shown(self) -> None:
        self.assertEqual([], self.show()["failed_consoles"])
        self.assertNotIn(
            " more ", self.manage("console-host", "show", "console-1").stdout
        )

    def test_unknown_console_host_is_refused(self) -> None:
        for arguments in (("no",), ("console-1", "--type", "no")):
            self.assertRefused(
                "See `console-host list`", "console-host", "show", *arguments
            )
