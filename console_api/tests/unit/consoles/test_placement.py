# SPDX-License-Identifier: Apache-2.0
import dataclasses
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
            "version": "1.0.0",
            "driver": "vnc",
            "trouble": None,
            "served_count": 1,
            "failed_count": 0,
            "last_seen_at": NOW,
            "read_at": NOW,
            **values,
        }
    )


def failing(number: int, **values: Any) -> ConsoleHostRow:
    return host(number, trouble="The driver failed.", **values)


def down(number: int, **values: Any) -> ConsoleHostRow:
    return host(number, last_seen_at=None, **values)


def elsewhere(number: int, **values: Any) -> ConsoleHostRow:
    return host(number, compute_hosts=("elsewhere",), **values)


def placed(
    number: int, host_id: int, console_type: str = "vnc"
) -> PlacedConsole:
    return PlacedConsole(number, console_type, host_id)


class PlanCase(unittest.TestCase):
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


class PlanTest(PlanCase):
    def test_new_console_has_all_candidates_of_first_type(self) -> None:
        hosts = [host(1, console_count=2), host(2)]
        plan = self.plan([*hosts, host(3, console_type="vnc+xvp")])
        self.assertEqual([2, 1], [each.id for each in plan.candidates])
        self.assertIsNone(plan.console)
        self.assertIn("has a free port", plan.refusal or "")

    def test_second_type_is_used_without_host_of_first_that_is_up(
        self,
    ) -> None:
        for unusable in (down(1), failing(1), elsewhere(1)):
            plan = self.plan([unusable, host(2, console_type="vnc+xvp")])
            self.assertEqual([2], [each.id for each in plan.candidates])

    def test_disabled_host_is_no_candidate(self) -> None:
        self.assertRefused(
            "No console host serves", self.plan([host(1, enabled=False)])
        )

    def test_console_in_use_is_kept(self) -> None:
        for console_host in (
            host(1),
            host(1, compute_hosts=("compute-*",)),
            host(1, enabled=False),
        ):
            self.assertEqual(
                Plan(), self.plan([console_host, host(2)], placed(5, 1))
            )

    def test_console_of_later_type_is_kept_without_host_of_earlier(
        self,
    ) -> None:
        xvp = host(9, console_type="vnc+xvp")
        console = placed(5, 9, "vnc+xvp")
        self.assertEqual(Plan(), self.plan([xvp], console))
        plan = self.plan([host(1), xvp], console)
        self.assertEqual([1], [each.id for each in plan.candidates])
        self.assertIsNone(plan.console)

    def test_misplaced_console_is_moved(self) -> None:
        for console_type in ("vnc", "vnc+xvp"):
            old = elsewhere(9, console_type=console_type)
            console = placed(5, 9, console_type)
            plan = self.plan([host(1), old], console)
            self.assertEqual(console, plan.console)
            self.assertIn("has a free port", plan.refusal or "")

    def test_console_of_deleted_host_is_moved(self) -> None:
        console = placed(5, 9)
        self.assertEqual(console, self.plan([host(1)], console).console)

    def test_misplaced_console_of_the_same_type_is_preferred(self) -> None:
        other, same = placed(4, 8, "vnc+xvp"), placed(5, 9, "vnc")
        hosts = [host(1), elsewhere(8, console_type="vnc+xvp"), elsewhere(9)]
        self.assertEqual(same, self.plan(hosts, other, same).console)

    def test_server_without_compute_host_is_refused(self) -> None:
        self.assertRefused(
            "not scheduled", self.plan([host(1)], compute_host=None)
        )

    def test_missing_host_is_refused(self) -> None:
        for hosts in ([], [elsewhere(1)], [host(1, console_type="mks")]):
            self.assertRefused("No console host serves", self.plan(hosts))

    def test_hosts_that_are_down_are_refused(self) -> None:
        for last_seen_at in (None, NOW - 61):
            console_host = host(1, last_seen_at=last_seen_at)
            self.assertRefused("are down", self.plan([console_host]))


class FailingTest(PlanCase):
    def test_failing_hosts_come_last(self) -> None:
        hosts = [failing(1), host(2, console_count=8), down(3)]
        plan = self.plan(hosts)
        self.assertEqual([2, 1], [each.id for each in plan.candidates])

    def test_failing_host_is_used_without_any_that_is_up(self) -> None:
        plan = self.plan([failing(1), down(2)])
        self.assertEqual([1], [each.id for each in plan.candidates])

    def test_console_is_moved_to_host_that_is_up(self) -> None:
        for bad in (failing(9), down(9), failing(9, enabled=False)):
            console = placed(5, 9)
            plan = self.plan([bad, host(1)], console)
            self.assertEqual(console, plan.console)
            self.assertEqual([1], [each.id for each in plan.candidates])
            # If there is no room, it stays where it is.
            self.assertIsNone(plan.refusal)

    def test_console_is_moved_to_host_of_other_type_that_is_up(self) -> None:
        console = placed(5, 9)
        hosts = [failing(9), host(1, console_type="vnc+xvp")]
        self.assertEqual(console, self.plan(hosts, console).console)

    def test_console_is_kept_without_host_that_is_better(self) -> None:
        for hosts in (
            [failing(9)],
            [failing(9), failing(1)],
            [failing(9), down(1), elsewhere(2)],
            [down(9)],
            [down(9), down(1)],
            [down(9), host(1, enabled=False)],
        ):
            with self.subTest(hosts):
                self.assertEqual(Plan(), self.plan(hosts, placed(5, 9)))

    def test_console_is_moved_from_host_that_is_down_to_failing(self) -> None:
        console = placed(5, 9)
        plan = self.plan([down(9), failing(1)], console)
        self.assertEqual(console, plan.console)
        self.assertEqual([1], [each.id for each in plan.candidates])


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


class StateTest(unittest.TestCase):
    def test_host_is_up_for_down_time(self) -> None:
        for last_seen_at, expected in (
            (None, "down"),
            (939, "down"),
            (940, "up"),
            (1000, "up"),
            (2000, "up"),
        ):
            with self.subTest(last_seen_at=last_seen_at):
                row = host(1, last_seen_at=last_seen_at)
                self.assertEqual(expected, placement.state(row, 60))

    def test_host_with_trouble_or_without_served_console_is_failing(
        self,
    ) -> None:
        trouble = "The driver failed."
        for served, failed, reported, expected in (
            (0, 0, None, "up"),
            (1, 1, None, "up"),
            (0, 1, None, "failing"),
            (0, 0, trouble, "failing"),
            (9, 0, trouble, "failing"),
        ):
            row = host(
                1, served_count=served, failed_count=failed, trouble=reported
            )
            with self.subTest(row):
                self.assertEqual(expected, placement.state(row, 60))
                gone = dataclasses.replace(row, last_seen_at=None)
                self.assertEqual("down", placement.state(gone, 60))


class CandidatesTest(unittest.TestCase):
    def ids(
        self, *hosts: ConsoleHostRow, compute_host: str | None = "a"
    ) -> list[int]:
        server = Server(SERVER, "project", "name", "instance", compute_host)
        found = placement.plan(server, [], hosts, ["vnc"], down_time=60)
        return [each.id for each in found.candidates]

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
