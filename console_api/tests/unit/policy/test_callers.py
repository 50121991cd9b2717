# SPDX-License-Identifier: Apache-2.0
import unittest

from oslo_policy import _parser

from console_api.policy.callers import Caller, Callers
from console_api.policy.diagrams import Diagram
from console_api.policy.reach import Checks, Reach


class CallersTest(unittest.TestCase):
    def load(self, check: str, **rules: str) -> Diagram:
        """Return who passes a check on the own project."""
        checks: Checks = {
            name: _parser.parse_rule(text)
            for name, text in {"rule": check, **rules}.items()
        }
        self.callers = Callers([checks])
        return Reach(checks, self.callers).of_rule("rule", is_own=True)

    def test_values_of_a_caller_decide(self) -> None:
        for check, caller, expected in (
            ("role:Reader", Caller(roles=("READER",)), True),
            ("roles:Reader", Caller(roles=("Reader",)), True),
            ("roles:Reader", Caller(roles=("reader",)), False),
            ("roles:A and roles:a", Caller(roles=("a", "A")), True),
            ("roles:A and roles:a", Caller(roles=("a",)), False),
            ("roles:Reader or role:reader", Caller(roles=("reader",)), True),
            ("roles:reader", Caller(roles=("READER",)), False),
            ("not role:unknown", Caller(roles=("other",)), True),
            ("user_id:dave", Caller(attributes={"user_id": "dave"}), True),
            ("user_id:dave", Caller(attributes={"user_id": "carol"}), False),
            ("user_id:dave", Caller(), False),
            ("service_user_id:None", Caller(), True),
            ("is_admin_project:True", Caller(), True),
            ("is_admin_project:False", Caller(), False),
            ("system_scope:None", Caller(), True),
            ("system_scope:all", Caller(), False),
            ("True:True", Caller(), True),
            ("service_roles:proxy", Caller(service_roles=("proxy",)), True),
            ("service_roles:proxy", Caller(roles=("proxy",)), False),
            ("http://policy/", Caller(), None),
            ("http://policy/ or role:a", Caller(roles=("a",)), True),
            ("is_admin:True", Caller(roles=("chief",)), True),
            ("is_admin:False", Caller(roles=("chief",)), False),
        ):
            with self.subTest(check, caller=str(caller)):
                found = self.load(check, context_is_admin="role:chief")
                self.assertIs(expected, self.callers.passes(found, caller))

    def test_missing_is_the_smallest_addition(self) -> None:
        for check, caller, expected in (
            ("role:a and role:b or role:c and role:d and role:e", (), "a, b"),
            ("role:a and role:b", ("a",), "b"),
            ("role:a and not role:b", ("a", "b"), "without role b"),
            ("user_id:dave", ("a",), "user_id dave"),
            ("user_id:dave or role:b", ("a",), "b"),
            ("role:a", ("a",), "everyone"),
        ):
            with self.subTest(check):
                found = self.load(check)
                missing = self.callers.missing(found, Caller(roles=caller))
                text = str(missing).replace(" and ", ", ")
                for noun in ("roles ", "role "):
                    text = text.removeprefix(noun)
                self.assertEqual(expected, text)

    def test_nothing_is_missing_where_no_one_passes(self) -> None:
        found = self.load("role:a and not role:a")
        self.assertIsNone(self.callers.missing(found, Caller()))

    def test_sample_is_limited(self) -> None:
        found = self.load(" or ".join(f"role:r{n}" for n in range(20)))
        self.assertEqual(5, len(self.callers.sample(found, 5)))
        self.assertEqual(20, len(self.callers.sample(found, 30)))

    def test_holders_of_a_role(self) -> None:
        self.load("role:a or roles:A")
        for caller, expected in (("a", True), ("A", True), ("b", False)):
            with self.subTest(caller):
                found = self.callers.passes(
                    self.callers.with_role("A"), Caller(roles=(caller,))
                )
                self.assertIs(expected, found)
        self.assertEqual(0, self.callers.with_role("unknown"))
