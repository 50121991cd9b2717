# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.agent.drivers.xvp.pools import Pool
from console_api.agent.drivers.xvp.sessions import ServedNames
from console_api.agent.drivers.xvp.writer import Writer
from console_api.tests.unit.agent.drivers.xvp.base import by_id, console


def text(**names: str) -> str:
    """Return a file with the servers of these names, and their passwords."""
    pools = [
        Pool(name, [f"{name}-*"], frozenset(), [f"POOL {pool}"])
        for name, pool in (("a", "a"), ("b", '"pool b"'))
    ]
    consoles = [
        console(
            number,
            compute_host="b-1" if name == "b" else "a-1",
            instance_name=name.replace("_", " "),
            password=password,
        )
        for number, (name, password) in enumerate(names.items())
    ]
    return Writer(pools, 2000).plan(by_id(*consoles)).text


class ServedNamesTest(unittest.TestCase):
    def check(
        self, before: str, after: str, covered: list[str], others: list[str]
    ) -> None:
        served = ServedNames(before, after)
        for name in (*covered, *others):
            with self.subTest(name):
                self.assertEqual(
                    name in covered,
                    served.covers(f"xvp: proxy: 192.0.2.1 to {name}"),
                )

    def test_session_of_deleted_console_is_not_covered(self) -> None:
        self.check(
            text(mail="1", mail_2="2", b="3"),
            text(mail_2="2", b="3"),
            ["mail 2", "a:mail 2", "b", "pool b:b"],
            ["mail", "a:mail", "mai", "2", "mail 22", "a:b", "x to mail 2"],
        )

    def test_session_of_changed_console_is_not_covered(self) -> None:
        self.check(
            text(mail="1", web="2"),
            text(mail="new", web="2"),
            ["web", "a:web"],
            ["mail", "a:mail"],
        )

    def test_sessions_without_earlier_file(self) -> None:
        self.check("", text(mail="1"), ["mail"], ["web"])

    def test_change_ends_sessions_of_namesake_in_another_pool(self) -> None:
        kept, changed = "POOL a\nVM - m 0\nPOOL b\n", "VM - m 1\n"
        self.check(f"{kept}{changed}", kept, ["a:m"], ["m", "b:m"])

    def test_other_processes_are_covered(self) -> None:
        self.assertTrue(ServedNames("", "").covers("xvp: master"))
