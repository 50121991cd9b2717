# SPDX-License-Identifier: Apache-2.0
from console_api.policies import consoles
from console_api.policy.findings import Level
from console_api.tests.unit.policy.base import rule
from console_api.tests.unit.policy.test_check import (
    CheckCase,
    above_notes,
    check_text,
)


class PartsTest(CheckCase):
    def test_part_is_located_in_its_line(self) -> None:
        [finding] = above_notes(
            check_text("a: role:a\n" + rule("rule:a or tenant:x"))
        )
        self.assertEqual(2, finding.line)
        column = rule("rule:a or tenant:x").index("tenant:x") + 1
        self.assertEqual(column, finding.column)

    def test_comparisons_with_constants_are_reported(self) -> None:
        self.assertFound(
            Level.WARNING,
            rule("role:a and True:True")
            + rule("is_admin_project:True", consoles.SHOW)
            + rule("role:a or 'a':b", consoles.CREATE)
            + rule("role:a and system_scope:None", consoles.DELETE),
            (1, "always passes"),
            (2, "usually passes"),
            (3, "never passes"),
            (4, "always passes"),
        )

    def test_constant_that_lets_everyone_pass_is_a_security_warning(
        self,
    ) -> None:
        found = above_notes(check_text(rule("role:a or True:True")))
        self.assertEqual(
            [Level.SECURITY, Level.WARNING], [each.level for each in found]
        )

    def test_kind_that_is_meant_is_suggested(self) -> None:
        for text, words in (
            ("rol:a", "Write role:,"),
            ("rules:a", "Write rule:,"),
            ("user:a", "Write user_id:,"),
            ("tenant:%(project_id)s", "Write project_id:%(project_id)s"),
            ("user:%(user_id)s", "Only the project of the server is known"),
        ):
            with self.subTest(text):
                self.assertFound(
                    Level.ERROR, rule(f"{text} or role:x"), (1, words)
                )

    def test_unencrypted_and_unverified_servers_are_reported(self) -> None:
        self.assertFound(
            Level.WARNING,
            rule("http://host/")
            + rule("role:a or https://host/", consoles.SHOW),
            (1, "not encrypted"),
            (2, "remote_ssl_verify_server_crt"),
        )

    def test_roles_that_may_not_be_meant_are_reported(self) -> None:
        self.assertFound(
            Level.WARNING,
            rule("role:\u0430dmin")
            + rule("role:a,b", consoles.SHOW)
            + rule("role:*", consoles.CREATE),
            (1, "CYRILLIC"),
            (2, "no patterns and no lists"),
            (3, "no patterns and no lists"),
        )

    def test_roles_like_those_of_personas_are_noted(self) -> None:
        for role, persona in (("memeber", "member"), ("Admins", "admin")):
            with self.subTest(role):
                found = check_text(rule(f"role:{role}")).findings
                self.assertTrue(
                    any(f"resembles {persona}" in f.message for f in found)
                )
