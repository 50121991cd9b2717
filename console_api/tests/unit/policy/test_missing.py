# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.policies import consoles
from console_api.policy import missing
from console_api.policy.callers import Caller, Callers
from console_api.policy.reach import Reach
from console_api.tests.unit.policy.base import INDEX, checks_of, rule


class AdditionsTest(unittest.TestCase):
    def additions(
        self, text: str, caller: Caller, *, is_own: bool = True
    ) -> list[str]:
        """Return what a caller lacks to list the consoles of a server."""
        checks = checks_of(text)
        callers = Callers([checks])
        diagram = Reach(checks, callers).of_operation(INDEX, is_own=is_own)
        return list(map(str, missing.additions(callers, diagram, caller)))

    def test_alternatives_are_the_smallest(self) -> None:
        for text, roles, expected in (
            ("role:a or role:b", (), ["role a", "role b"]),
            ("role:a or (role:a and role:b)", (), ["role a"]),
            ("role:a and role:b", (), ["roles a and b"]),
            ("role:a and role:b", ("A",), ["role b"]),
            ("(role:a and role:b) or role:c", ("a",), ["role c", "role b"]),
            ("not role:a", ("a",), ["without role a"]),
            ("role:b and not role:a", ("a",), ["role b, without role a"]),
            ("role:b or not role:a", ("a",), ["without role a"]),
            ("user_id:x", (), ["user_id x"]),
            ("service_roles:s", (), ["service role s"]),
            ("http://server/", (), ['"http://server/" passes']),
            ("role:a", ("a",), ["everyone"]),
            ("!", (), []),
        ):
            with self.subTest(text, roles=roles):
                found = self.additions(rule(text), Caller(roles=roles))
                self.assertEqual(expected, found)

    def test_what_the_caller_has_is_not_missing(self) -> None:
        caller = Caller(
            roles=("Ops",), service_roles=("s",), attributes={"user_id": "u"}
        )
        for text in ("roles:Ops", "role:ops", "service_roles:s", "user_id:u"):
            with self.subTest(text):
                found = self.additions(rule(f"{text} and role:b"), caller)
                self.assertEqual(["role b"], found)

    def test_addition_that_includes_another_is_left_out(self) -> None:
        text = "(role:reader and role:c) or (role:a and role:c)"
        found = self.additions(rule(text), Caller(roles=("a",)))
        self.assertEqual(["role c"], found)

    def test_other_project_needs_both_rules(self) -> None:
        found = self.additions(
            rule("role:auditor"),
            Caller(roles=("auditor",), server_project="b"),
            is_own=False,
        )
        self.assertEqual(["role admin"], found)

    def test_project_of_the_server_is_not_changed(self) -> None:
        text = rule("'b':%(project_id)s")
        found = self.additions(
            text, Caller(roles=("admin",), server_project="c"), is_own=False
        )
        self.assertEqual([], found)

    def test_number_of_alternatives_is_limited(self) -> None:
        text = " or ".join(f"role:r{number}" for number in range(20))
        self.assertEqual(5, len(self.additions(rule(text), Caller())))

    def test_rules_of_other_operations_do_not_matter(self) -> None:
        text = rule("role:a") + rule("role:b", consoles.SHOW)
        self.assertEqual(["role a"], self.additions(text, Caller()))
