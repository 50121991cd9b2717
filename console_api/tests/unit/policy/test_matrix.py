# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.policies import consoles
from console_api.policy import matrix
from console_api.tests.unit.policy.test_reach import load


class MatrixTest(unittest.TestCase):
    def allowed(
        self, *checks: str
    ) -> dict[bool | None, dict[str, list[bool | None]]]:
        """Return who lists the consoles of a server, own and other."""
        policies = [load({consoles.INDEX: check}) for check in checks]
        return {
            row.is_own: {name: list(a) for name, a in row.allowed.items()}
            for row in matrix.rows(policies)
            if row.rule == consoles.INDEX
        }

    def test_personas_are_decided_apart_for_other_projects(self) -> None:
        found = self.allowed("rule:project_reader_or_admin")
        expected = {
            "no role": [False],
            "reader": [True],
            "member": [True],
            "manager": [True],
            "service": [False],
            "admin": [True],
        }
        self.assertEqual(expected, found[True])
        allowed = [name for name, each in found[False].items() if each[0]]
        self.assertEqual(["admin"], allowed)

    def test_roles_of_all_policies_are_shown(self) -> None:
        found = self.allowed("role:auditor", "role:auditor or role:Support")
        self.assertEqual([True, True], found[True]["auditor"])
        self.assertEqual([False, True], found[True]["support"])

    def test_decision_of_another_server_is_unknown(self) -> None:
        found = self.allowed("http://policy.example.org/ or role:reader")
        self.assertEqual([None], found[True]["no role"])
        self.assertEqual([True], found[True]["reader"])

    def test_console_hosts_belong_to_no_project(self) -> None:
        [row] = [
            row
            for row in matrix.rows([load({})])
            if row.rule.endswith("os-console-hosts:index")
        ]
        self.assertIsNone(row.is_own)
