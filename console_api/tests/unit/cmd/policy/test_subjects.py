# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.cmd.commands import UsageError
from console_api.cmd.policy import subjects
from console_api.policies import console_hosts, servers
from console_api.policy import sources
from console_api.policy.callers import Callers
from console_api.policy.reach import Reach
from console_api.tests.unit.policy.base import INDEX


class SubjectTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.source = sources.load("defaults")

    def passing(self, text: str, *, is_own: bool) -> list[str]:
        """Return the simplest callers who pass."""
        callers = Callers([self.source.checks])
        diagram = subjects.find(text, self.source).passing(
            Reach(self.source.checks, callers), is_own=is_own
        )
        return list(map(str, callers.sample(diagram, 9)))

    def test_operations_and_rules_are_found(self) -> None:
        for text, name, has_project in (
            ("GET /servers/{server_id}/consoles", INDEX, True),
            (INDEX, INDEX, True),
            ("GET /os-console-hosts", console_hosts.INDEX, False),
            (servers.ALL_TENANTS, servers.ALL_TENANTS, True),
            ("project_member_api", "project_member_api", True),
        ):
            with self.subTest(text):
                found = subjects.find(text, self.source)
                self.assertEqual(
                    (name, has_project), (found.rule, found.has_project)
                )

    def test_operation_needs_all_its_rules(self) -> None:
        self.assertEqual(["role admin"], self.passing(INDEX, is_own=False))
        self.assertEqual(
            ["role reader", "role member", "role manager", "role admin"],
            self.passing(INDEX, is_own=True),
        )

    def test_base_rule_is_decided_alone(self) -> None:
        for is_own, expected in ((True, ["everyone"]), (False, [])):
            self.assertEqual(expected, self.passing("owner", is_own=is_own))

    def test_unknown_names_are_refused(self) -> None:
        for text in ("GET /nope", "nope", ""):
            with self.subTest(text), self.assertRaises(UsageError):
                subjects.find(text, self.source)
