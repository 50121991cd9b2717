# SPDX-License-Identifier: Apache-2.0
from console_api.policies import consoles
from console_api.policy.findings import Level
from console_api.tests.unit.policy.base import rule
from console_api.tests.unit.policy.test_check import CheckCase, check_text

_OWN = "project_id:%(project_id)s"


class RedundancyTest(CheckCase):
    def test_contradictions_never_pass(self) -> None:
        self.assertFound(
            Level.WARNING,
            rule("role:x and not role:x")
            + rule("role:x and rule:h", consoles.SHOW)
            + rule("not role:X", "h")
            + rule(
                "role:a or (role:x and role:y and not role:x)", consoles.CREATE
            ),
            (1, "never passes"),
            (2, "never passes"),
            (4, "role:x and role:y and not role:x"),
        )

    def test_parts_that_add_nothing_are_noted(self) -> None:
        for check, part in (
            ("role:a or role:b or role:A", "role:A"),
            ("role:a or (role:a and role:b)", "role:a and role:b"),
            (
                "rule:context_is_admin or rule:project_member_or_admin",
                "rule:context_is_admin",
            ),
            ("role:b and (role:a or role:b)", "role:a or role:b"),
            ("role:c or (role:b and (role:a or role:b))", "role:a or role:b"),
            ("not role:b and not role:b", "not role:b"),
        ):
            with self.subTest(check):
                [finding] = [
                    each
                    for each in check_text(rule(check)).findings
                    if "adds nothing" in each.message
                ]
                self.assertEqual(Level.NOTE, finding.level)
                self.assertIn(f'"{part}"', finding.message)

    def test_parts_that_make_a_difference_are_sound(self) -> None:
        for check in (
            f"role:a or (role:b and {_OWN})",
            "(role:a or role:b) and (role:b or role:c)",
            "!",
            "rule:context_is_admin or is_admin:True",
        )[:3]:
            with self.subTest(check):
                for finding in check_text(rule(check)).findings:
                    self.assertNotIn("The part", finding.message)
