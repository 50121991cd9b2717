# SPDX-License-Identifier: Apache-2.0
import unittest
from dataclasses import dataclass

from console_api.consoles import placement


@dataclass(frozen=True)
class Host:
    id: int
    console_type: str = "vnc"
    compute_hosts: str = "*"
    console_count: int = 0
    last_seen_at: int | None = None


class ServesTest(unittest.TestCase):
    def test_a_compute_host_has_to_match_one_of_the_patterns(self) -> None:
        for patterns, compute_host, expected in (
            ("*", "compute-1", True),
            ("compute-1", "compute-1", True),
            ("compute-1", "compute-10", False),
            ("compute-?", "compute-1", True),
            ("compute-?", "compute-10", False),
            ("compute-[12]", "compute-2", True),
            ("compute-[!12]", "compute-2", False),
            ("rack-1-* rack-2-*", "rack-2-a", True),
            ("  rack-1-*\track-2-*\n", "rack-1-a", True),
            ("rack-1-* rack-2-*", "rack-3-a", False),
            ("COMPUTE-*", "compute-1", False),
            ("*.example.org", "a.b.example.org", True),
            ("", "compute-1", False),
            ("", "", False),
            ("*", "", True),
        ):
            with self.subTest(patterns, compute_host=compute_host):
                self.assertEqual(
                    expected, placement.serves(patterns, compute_host)
                )

    def test_a_server_without_compute_host_is_served_by_nobody(self) -> None:
        self.assertFalse(placement.serves("*", None))


class IsUpTest(unittest.TestCase):
    def test_an_agent_counts_as_alive_for_a_while(self) -> None:
        for last_seen_at, expected in (
            (None, False),
            (939, False),
            (940, True),
            (1000, True),
            (2000, True),
        ):
            with self.subTest(last_seen_at=last_seen_at):
                self.assertEqual(
                    expected, placement.is_up(last_seen_at, 1000, 60)
                )


class CandidatesTest(unittest.TestCase):
    def ids(self, *hosts: Host, compute_host: str | None = "a") -> list[int]:
        found = placement.candidates(hosts, "vnc", compute_host)
        return [host.id for host in found]

    def test_the_one_with_the_fewest_consoles_comes_first(self) -> None:
        self.assertEqual(
            [2, 3, 1],
            self.ids(
                Host(1, console_count=10),
                Host(2, console_count=2),
                Host(3, console_count=9),
            ),
        )

    def test_of_two_alike_the_older_one_comes_first(self) -> None:
        self.assertEqual([1, 2, 3], self.ids(Host(3), Host(1), Host(2)))

    def test_those_of_another_type_or_elsewhere_are_left_out(self) -> None:
        self.assertEqual(
            [3],
            self.ids(
                Host(1, console_type="vnc+xvp"),
                Host(2, compute_hosts="b"),
                Host(3, compute_hosts="a b", console_count=7),
            ),
        )

    def test_a_server_without_compute_host_has_no_candidates(self) -> None:
        self.assertEqual([], self.ids(Host(1), compute_host=None))
