# SPDX-License-Identifier: Apache-2.0
import unittest
from collections.abc import Sequence
from typing import Any

from console_api.consoles import placement
from console_api.consoles.placement import Plan
from console_api.db.console_hosts import ConsoleHostRow
from console_api.db.consoles import PlacedConsole
from console_api.directory.base import Server
from console_api.tests.unit.base import SERVER

NOW = 1000


def host(number: int, **values: Any) -> ConsoleHostRow:
    return ConsoleHostRow(
        **{
            "id": number,
            "host": f"console-{number}",
            "console_type": "vnc",
            "public_hostname": f"console-{number}",
            "compute_hosts": ("*",),
            "min_port": 1,
            "max_port": 9,
            "multiplex_port": None,
            "enabled": True,
            "console_count": 0,
            "revision": 0,
            "version": None,
            "driver": None,
            "trouble": None,
            "served_count": 0,
            "failed_count": 0,
            "last_seen_at": NOW,
            "read_at": NOW,
            **values,
        }
    )


def placed(
    number: int, console_type: str = "vnc", compute_hosts: str = "*"
) -> PlacedConsole:
    return PlacedConsole(number, console_type, 99, (compute_hosts,))


class PlanTest(unittest.TestCase):
    def plan(
        self,
        hosts: Sequence[ConsoleHostRow],
        *consoles: PlacedConsole,
        compute_host: str | None = "compute-1",
    ) -> Plan:
        server = Server(SERVER, "project", "name", "instance", compute_host)
        return placement.plan(
            server,
            consoles,
            hosts,
            ["vnc", "vnc+xvp"],
            down_time=60,
        )

    def assertRefused(self, reason: str, plan: Plan) -> None:
        self.assertEqual([], [*plan.candidates])
        self.assertRegex(plan.refusal or "", reason)

    def test_new_console_has_all_candidates_of_first_type(self) -> None:
        hosts = [host(1, console_count=2), host(2)]
        plan = self.plan([*hosts, host(3, console_type="vnc+xvp")])
        self.assertEqual([2, 1], [each.id for each in plan.candidates])
        self.assertIsNone(plan.console)
        self.assertIn("has a free port", plan.refusal or "")

    def test_second_type_is_used_without_host_of_first(self) -> None:
        down = host(1, last_seen_at=None)
        plan = self.plan([down, host(2, console_type="vnc+xvp")])
        self.assertEqual([2], [each.id for each in plan.candidates])

    def test_console_in_use_is_kept(self) -> None:
        for console in (placed(5), placed(5, compute_hosts="compute-*")):
            self.assertEqual(Plan(), self.plan([host(1)], console))

    def test_console_of_later_type_is_kept_without_host_of_earlier(
        self,
    ) -> None:
        console = placed(5, "vnc+xvp")
        self.assertEqual(Plan(), self.plan([], console))
        plan = self.plan([host(1)], console)
        self.assertEqual([1], [each.id for each in plan.candidates])
        self.assertIsNone(plan.console)

    def test_misplaced_console_is_moved(self) -> None:
        for console_type in ("vnc", "vnc+xvp"):
            console = placed(5, console_type, "elsewhere")
            self.assertEqual(console, self.plan([host(1)], console).console)

    def test_misplaced_console_of_the_same_type_is_preferred(self) -> None:
        other, same = placed(4, "vnc+xvp", "x"), placed(5, "vnc", "x")
        self.assertEqual(same, self.plan([host(1)], other, same).console)

    def test_server_without_compute_host_is_refused(self) -> None:
        self.assertRefused(
            "not scheduled", self.plan([host(1)], compute_host=None)
        )

    def test_missing_host_is_refused(self) -> None:
        elsewhere = host(1, compute_hosts=("elsewhere",))
        for hosts in ([], [elsewhere], [host(1, console_type="mks")]):
            self.assertRefused("No console host serves", self.plan(hosts))

    def test_hosts_that_are_down_are_refused(self) -> None:
        for last_seen_at in (None, NOW - 61):
            down = host(1, last_seen_at=last_seen_at)
            self.assertRefused("are down", self.plan([down]))


class ServesTest(unittest.TestCase):
    def test_compute_host_matches_any_pattern(self) -> None:
        for patterns, compute_host, expected in (
            ("*", "compute-1", True),
            ("compute-1", "compute-1", True),
            ("compute-1", "compute-10", False),
            ("compute-?", "compute-1", True),
            ("compute-?", "compute-10", False),
            ("compute-[12]", "compute-2", True),
            ("compute-[!12]", "compute-2", False),
            ("rack-1-* rack-2-*", "rack-2-a", True),
            ("rack-1-* rack-2-*", "rack-3-a", False),
            ("COMPUTE-*", "compute-1", False),
            ("*.example.org", "a.b.example.org", True),
            ("", "compute-1", False),
            ("", "", False),
            ("*", "", True),
        ):
            with self.subTest(patterns, compute_host=compute_host):
                self.assertEqual(
                    expected, placement.serves(patterns.split(), compute_host)
                )

    def test_unscheduled_server_matches_nothing(self) -> None:
        self.assertFalse(placement.serves(["*"], None))


class IsUpTest(unittest.TestCase):
    def test_agent_is_up_for_down_time(self) -> None:
        for last_seen_at, expected in (
            (None, False),
            (939, False),
            (940, True),
            (1000, True),
            (2000, True),
        ):
            with self.subTest(last_seen_at=last_seen_at):
                row = host(1, last_seen_at=last_seen_at)
                self.assertEqual(expected, placement.is_up(row, 60))


class CandidatesTest(unittest.TestCase):
    def ids(
        self, *hosts: ConsoleHostRow, compute_host: str | None = "a"
    ) -> list[int]:
        found = placement.candidates(hosts, "vnc", compute_host)
        return [each.id for each in found]

    def test_host_with_fewest_consoles_is_first(self) -> None:
        self.assertEqual(
            [2, 3, 1],
            self.ids(
                host(1, console_count=10),
                host(2, console_count=2),
                host(3, console_count=9),
            ),
        )

    def test_lower_id_is_first_among_equals(self) -> None:
        self.assertEqual([1, 2, 3], self.ids(host(3), host(1), host(2)))

    def test_other_types_and_compute_hosts_are_left_out(self) -> None:
        self.assertEqual(
            [3],
            self.ids(
                host(1, console_type="vnc+xvp"),
                host(2, compute_hosts=("b",)),
                host(3, compute_hosts=("a", "b"), console_count=7),
            ),
        )

    def test_unscheduled_server_has_no_candidates(self) -> None:
        self.assertEqual([], self.ids(host(1), compute_host=None))
