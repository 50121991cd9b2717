# SPDX-License-Identifier: Apache-2.0
import datetime as dt
import time

from console_api import errors
from console_api.consoles.console_hosts import ConsoleHost, ConsoleHostManager
from console_api.db import heartbeats
from console_api.db.heartbeats import AgentReport
from console_api.tests.unit import base
from console_api.values import ConsoleHostState

DOWN_TIME = 60


class ListTest(base.DatabaseCase):
    def list(self) -> list[ConsoleHost]:
        return ConsoleHostManager(self.database, DOWN_TIME).list()

    def test_hosts_are_ordered_by_name_and_type(self) -> None:
        for host, console_type in (("b", "vnc"), ("a", "x"), ("a", "vnc")):
            self.add_console_host(host, console_type=console_type)
        self.assertEqual(
            [("a", "vnc"), ("a", "x"), ("b", "vnc")],
            [(host.host, host.console_type) for host in self.list()],
        )

    def test_list_can_be_empty(self) -> None:
        self.assertEqual([], self.list())

    def test_host_has_all_attributes(self) -> None:
        self.add_console_host(
            "a",
            compute_hosts=("x*", "y?"),
            enabled=False,
            last_seen_at=1700000000,
        )
        seen = dt.datetime(2023, 11, 14, 22, 13, 20, tzinfo=dt.UTC)
        self.assertEqual(
            [
                ConsoleHost(
                    host="a",
                    console_type="vnc",
                    public_hostname="a.example.org",
                    compute_hosts=("x*", "y?"),
                    min_port=5900,
                    max_port=5909,
                    multiplex_port=None,
                    enabled=False,
                    state=ConsoleHostState.DOWN,
                    trouble=None,
                    consoles=0,
                    served=None,
                    failed=None,
                    ports_used=0,
                    version=None,
                    driver=None,
                    last_seen_at=seen,
                )
            ],
            self.list(),
        )

    def test_report_of_host_that_is_up_is_shown(self) -> None:
        report = AgentReport("1.0.0", "vnc", None, 7, 3, 2)
        heartbeats.record(self.database, self.add_console_host().id, report)
        [host] = self.list()
        self.assertEqual(
            ("up", 3, 2, "1.0.0", "vnc"),
            (host.state, host.served, host.failed, host.version, host.driver),
        )

    def test_counts_of_host_that_is_down_are_unknown(self) -> None:
        row = self.add_console_host()
        report = AgentReport("1.0.0", "vnc", None, 7, 3, 2)
        heartbeats.record(self.database, row.id, report)
        self.set_last_seen_at(row.id, 1)
        [host] = self.list()
        self.assertEqual(
            ("down", None, None), (host.state, host.served, host.failed)
        )

    def test_host_is_up_for_host_down_time(self) -> None:
        now = int(time.time())
        for name, last_seen_at, state in (
            ("never", None, "down"),
            ("long ago", now - DOWN_TIME - 5, "down"),
            ("lately", now - DOWN_TIME + 20, "up"),
            ("ahead", now + 3600, "up"),
        ):
            self.add_console_host(name, last_seen_at=last_seen_at)
            with self.subTest(name):
                states = {host.host: host.state for host in self.list()}
                self.assertEqual(state, states[name])


class SetEnabledTest(base.DatabaseCase):
    def test_only_the_given_host_and_type_changes(self) -> None:
        self.add_console_host("a")
        self.add_console_host("a", console_type="vnc+xvp")
        self.add_console_host("b")
        hosts = ConsoleHostManager(self.database, DOWN_TIME)
        for enabled in (False, True):
            changed = hosts.set_enabled("a", "vnc", enabled=enabled)
            self.assertEqual(changed, hosts.get("a", "vnc"))
            self.assertEqual(
                [enabled, True, True], [host.enabled for host in hosts.list()]
            )

    def test_unknown_host_is_not_found(self) -> None:
        self.add_console_host("a")
        hosts = ConsoleHostManager(self.database, DOWN_TIME)
        with self.assertRaises(errors.ConsoleHostNotFound):
            hosts.set_enabled("a", "vnc+xvp", enabled=False)
        with self.assertRaises(errors.ConsoleHostNotFound):
            hosts.get("b", "vnc")
