# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.policies import (
    console_auth_tokens,
    console_hosts,
    consoles,
    remote_consoles,
    servers,
)
from console_api.policy.findings import Finding, Level
from console_api.tests.unit.policy.base import INDEX, rule
from console_api.tests.unit.policy.test_check import check_text

_OWN = "project_id:%(project_id)s"


class MeaningCase(unittest.TestCase):
    def find(self, text: str, beginning: str) -> list[Finding]:
        """Return the findings whose messages begin with a word."""
        return [
            each
            for each in check_text(text).findings
            if each.message.startswith(beginning)
        ]


class GainsTest(MeaningCase):
    def assertGains(
        self, text: str, *expected: tuple[int, Level, str]
    ) -> None:
        """Assert the lines, levels and words of who gains what."""
        found = self.find(text, "Weaker")
        self.assertEqual(
            [(line, level) for line, level, _words in expected],
            [(each.line, each.level) for each in found],
            found,
        )
        for finding, (_line, _level, words) in zip(
            found, expected, strict=True
        ):
            self.assertIn(words, finding.message)

    def test_gain_of_secrets_is_a_security_warning(self) -> None:
        for name, words in (
            (consoles.SHOW, "may see the passwords of consoles"),
            (consoles.CREATE, "may create consoles"),
            (consoles.DELETE, "may delete consoles"),
            (remote_consoles.CREATE, "may create remote consoles"),
            (console_auth_tokens.SHOW, "may look up console auth tokens"),
        ):
            default = (
                "rule:service_or_admin"
                if name == console_auth_tokens.SHOW
                else "rule:project_member_or_admin"
            )
            with self.subTest(name):
                self.assertGains(
                    rule(f"{default} or (role:helper and {_OWN})", name),
                    (1, Level.SECURITY, f"role helper {words}"),
                )

    def test_gain_of_a_persona_is_a_security_warning(self) -> None:
        self.assertGains(
            rule("role:reader or role:admin", console_hosts.INDEX),
            (1, Level.SECURITY, "role reader may list console hosts"),
        )

    def test_list_for_a_role_of_ones_own_is_a_note(self) -> None:
        self.assertGains(
            rule(f"rule:project_reader_or_admin or (role:x and {_OWN})"),
            (1, Level.NOTE, "role x may list the consoles of a server"),
        )

    def test_persona_among_many_roles_is_a_security_warning(self) -> None:
        roles = " or ".join(f"role:x{number}" for number in range(30))
        self.assertGains(
            rule(f"rule:project_reader_or_admin or {roles} or role:service"),
            (1, Level.SECURITY, "or others may list"),
        )

    def test_list_of_other_projects_is_a_security_warning(self) -> None:
        self.assertGains(
            rule("role:admin or role:x", servers.ALL_TENANTS)
            + rule("rule:project_reader_or_admin or role:x"),
            (1, Level.SECURITY, "on servers of other projects"),
            (2, Level.SECURITY, "on servers of other projects"),
        )

    def test_gain_of_everyone_names_the_exceptions(self) -> None:
        self.assertGains(
            rule("not role:guest", consoles.SHOW),
            (
                1,
                Level.SECURITY,
                "everyone, except role guest, may see the passwords",
            ),
        )

    def test_gain_by_a_base_rule_lists_its_operations(self) -> None:
        self.assertGains(
            rule(
                f"(role:member or role:manager or role:x) and {_OWN}",
                "project_member_api",
            ),
            (
                1,
                Level.SECURITY,
                "role x may create consoles, see the passwords of consoles, "
                "delete consoles, revoke a console auth token, create remote "
                "consoles, revoke the console auth tokens of a server and cut "
                "sessions",
            ),
        )

    def test_gain_that_another_rule_prevents_is_not_reported(self) -> None:
        token = console_auth_tokens.SHOW
        self.assertGains(
            rule("rule:service_or_admin or rule:owner", token)
            + rule(f"role:x and {_OWN}", "owner"),
            (1, Level.SECURITY, "role x may look up"),
        )

    def test_gain_that_a_default_makes_circular_is_reported(self) -> None:
        self.assertGains(
            rule("role:x", "project_member_or_admin")
            + rule("rule:project_member_or_admin", "project_member_api"),
            (1, Level.SECURITY, "role x may create consoles"),
        )

    def test_gain_is_not_blamed_on_rules_that_do_not_matter(self) -> None:
        self.assertGains(
            rule("rule:project_reader_or_admin", consoles.SHOW)
            + rule(f"role:x and {_OWN}", "project_member_api"),
            (1, Level.SECURITY, "role reader may see the passwords"),
            (
                2,
                Level.SECURITY,
                "role x may create consoles, delete consoles, revoke",
            ),
        )

    def test_gain_by_several_rules_belongs_to_each(self) -> None:
        self.assertGains(
            rule("role:x or role:admin", servers.ALL_TENANTS)
            + rule("rule:project_member_or_admin or rule:h", consoles.SHOW)
            + rule(f"role:x and not {_OWN}", "h"),
            (1, Level.SECURITY, "role x may see the passwords of consoles on"),
            (2, Level.SECURITY, "role x may see the passwords of consoles on"),
        )

    def test_gain_by_either_of_two_rules_belongs_to_the_first(self) -> None:
        self.assertGains(
            rule(
                f"rule:project_member_or_admin or (role:x and {_OWN})",
                consoles.SHOW,
            )
            + rule(
                "rule:project_member_api or rule:context_is_admin or "
                f"(role:x and {_OWN})",
                "project_member_or_admin",
            ),
            (1, Level.SECURITY, "role x may see the passwords"),
            (2, Level.SECURITY, "role x may create consoles, delete"),
        )

    def test_rule_that_grants_no_more_has_no_gains(self) -> None:
        self.assertGains(rule("rule:context_is_admin", servers.ALL_TENANTS))

    def test_unknown_gain_by_another_server_is_not_guessed(self) -> None:
        self.assertGains(rule("https://host/", consoles.SHOW))


class LossesTest(MeaningCase):
    def test_losses_are_notes(self) -> None:
        for check, words in (
            ("rule:project_manager_or_admin", "role member may not see"),
            ("!", "no one may see"),
            ("rule:project_member_api", "role admin may not see"),
        ):
            with self.subTest(check):
                [finding] = self.find(rule(check, consoles.SHOW), "Stronger")
                self.assertEqual(Level.NOTE, finding.level)
                self.assertIn(words, finding.message)

    def test_rule_that_is_wrong_anyhow_has_no_losses(self) -> None:
        for check in ("role:a and not role:a", "https://host/"):
            with self.subTest(check):
                self.assertEqual([], self.find(rule(check), "Stronger"))

    def test_loss_by_several_rules_belongs_to_the_operation(self) -> None:
        [first, second] = self.find(
            rule("!", consoles.SHOW)
            + rule("rule:context_is_admin", "project_member_or_admin"),
            "Stronger",
        )
        self.assertIn("no one may see the passwords", first.message)
        self.assertNotIn("passwords", second.message)


class DefaultTest(MeaningCase):
    def test_rule_that_decides_like_its_default_is_noted(self) -> None:
        for check in (
            "rule:project_reader_or_admin",
            "rule:context_is_admin or rule:project_reader_api",
            f"role:admin or ((role:reader or role:member or role:manager) and "
            f"{_OWN})",
        ):
            with self.subTest(check):
                [finding] = self.find(rule(check, INDEX), "The rule decides")
                self.assertEqual(Level.NOTE, finding.level)

    def test_broken_rule_is_not_compared(self) -> None:
        for text in (
            rule("guest", "context_is_admin"),
            # The default would be a circle.
            rule("guest", "project_member_or_admin")
            + rule("rule:project_member_or_admin", "project_member_api"),
        ):
            with self.subTest(text):
                found = check_text(text).findings
                self.assertEqual(
                    [Level.BROKEN], [each.level for each in found]
                )
