# SPDX-License-Identifier: Apache-2.0
import unittest
from pathlib import Path

from console_api.policies import (
    console_auth_tokens,
    console_hosts,
    consoles,
    remote_consoles,
)
from console_api.policy import check, reader
from console_api.policy.findings import Finding, Level
from console_api.policy.rules import Policy
from console_api.tests.unit.policy.base import INDEX, rule


def check_text(*texts: str) -> Policy:
    return check.check(
        [
            reader.read(Path(f"{number}.yaml"), text.encode())
            for number, text in enumerate(texts)
        ]
    )


def above_notes(result: Policy) -> list[Finding]:
    """Return the findings but notes, and who gains by a rule."""
    return [
        each
        for each in result.findings
        if each.level is not Level.NOTE
        and not each.message.startswith("Weaker")
    ]


class CheckCase(unittest.TestCase):
    def assertFound(
        self, level: Level, text: str, *expected: tuple[int, str]
    ) -> list[Finding]:
        """Assert that lines have findings of a level with these words.

        Notes, and who gains by a rule, do not count.
        """
        found = above_notes(check_text(text))
        for finding in found:
            self.assertEqual(level, finding.level, finding)
        self.assertEqual(
            [line for line, _words in expected],
            [finding.line for finding in found],
            found,
        )
        for finding, (_line, words) in zip(found, expected, strict=True):
            self.assertIn(words, str(finding))
        return found

    def assertSound(self, text: str) -> Policy:
        result = check_text(text)
        self.assertEqual([], above_notes(result))
        return result


class BrokenRulesTest(CheckCase):
    def test_undefined_reference_is_refused_whatever_surrounds_it(
        self,
    ) -> None:
        for text in (
            rule("rule:typo"),
            rule("not rule:typo"),
            rule("role:a or not (role:b and rule:typo)"),
            f'"{INDEX}": [["rule:typo"]]\n',
            rule("rule:typo", "owner"),
        ):
            with self.subTest(text):
                self.assertFound(Level.BROKEN, text, (1, "typo"))

    def test_rule_default_defines_nothing(self) -> None:
        result = check_text(rule("@", "default") + rule("rule:typo"))
        self.assertEqual(
            [(1, Level.ERROR), (2, Level.BROKEN)],
            [(each.line, each.level) for each in result.findings],
        )

    def test_similar_name_is_suggested(self) -> None:
        self.assertFound(
            Level.BROKEN,
            rule("rule:project_manger_or_admin"),
            (1, "rule:project_manager_or_admin"),
        )

    def test_broken_helper_is_refused(self) -> None:
        self.assertFound(
            Level.BROKEN,
            rule("not rule:helper") + rule("guest", "helper"),
            (2, "guest"),
        )

    def test_circles_and_what_rests_on_them_are_refused(self) -> None:
        self.assertFound(
            Level.BROKEN,
            rule("rule:b or role:x", "a")
            + rule("not rule:a", "b")
            + rule("role:y or rule:b")
            + rule(f"rule:{consoles.SHOW}", consoles.SHOW),
            (1, "a, b, a"),
            (2, "b, a, b"),
            (3, "circle"),
            (4, "circle"),
        )

    def test_override_that_makes_default_circular_is_refused(self) -> None:
        self.assertFound(
            Level.BROKEN,
            rule("rule:project_reader_or_admin", "project_reader_api"),
            (1, "circle"),
        )

    def test_negated_part_that_never_passes_is_refused(self) -> None:
        for text, line in (
            (rule("not user_id:%(user_id)s"), 1),
            (rule("role:a or not tenant_id:x"), 1),
            (rule("not rule:h") + rule("tenant_id:x or role:b", "h"), 2),
            (
                rule("not rule:h")
                + rule("rule:i", "h")
                + rule("role:%(user)s", "i"),
                3,
            ),
        ):
            with self.subTest(text):
                self.assertFound(Level.BROKEN, text, (line, '"not"'))

    def test_double_negation_is_not_one(self) -> None:
        result = check_text(rule("not rule:h") + rule("not tenant_id:x", "h"))
        self.assertEqual([], result.broken)

    def test_exponential_references_are_refused(self) -> None:
        text = rule("rule:r0") + rule("role:x", "r40")
        for number in range(40):
            following = f"rule:r{number + 1}"
            text += rule(f"{following} or {following}", f"r{number}")
        [finding] = check_text(text).findings
        self.assertIn("too large", str(finding))

    def test_long_chain_of_references_is_refused(self) -> None:
        text = rule("rule:r0") + rule("role:x", "r5000")
        for number in range(5000):
            text += rule(f"rule:r{number + 1}", f"r{number}")
        [finding] = check_text(text).findings
        self.assertIn("too large", str(finding))

    def test_long_circle_is_refused(self) -> None:
        text = rule("rule:r0") + rule("rule:r0", "r5000")
        for number in range(5000):
            text += rule(f"rule:r{number + 1}", f"r{number}")
        self.assertIn("circle", str(check_text(text).broken[0]))

    def test_name_in_typographic_quotes_is_refused(self) -> None:
        self.assertFound(
            Level.BROKEN,
            f"\u201c{INDEX}\u201d: role:a\n",
            (1, "quotation marks"),
        )

    def test_findings_of_several_files_are_in_order(self) -> None:
        result = check_text(
            rule("guest") + rule("guest", consoles.SHOW),
            rule("guest", consoles.CREATE),
        )
        self.assertEqual(
            [("0.yaml", 1), ("0.yaml", 2), ("1.yaml", 1)],
            [(str(each.path), each.line) for each in result.findings],
        )

    def test_override_of_a_rule_without_value_is_checked(self) -> None:
        found = check_text(f'"{INDEX}":\n', rule("guest")).findings
        self.assertEqual(
            ["0.yaml", "1.yaml"], [str(each.path) for each in found]
        )

    def test_overridden_broken_rule_is_ignored(self) -> None:
        result = check_text(rule("guest"), rule("role:a"))
        self.assertEqual([], above_notes(result))
        self.assertEqual("role:a", str(result.checks[INDEX]))


class SoundRulesTest(CheckCase):
    def test_rules_of_other_services_are_ignored(self) -> None:
        result = self.assertSound(
            rule("rule:undefined", "os_compute_api:servers:index")
            + rule("nonsense", "os_compute_api:os-hypervisors:list")
            + rule("rule:b", "os_compute_api:servers:show")
            + rule("rule:b", "b")
        )
        self.assertNotIn("b", result.checks)
        [finding] = result.findings
        self.assertIn("3 rules are of operations of other", str(finding))

    def test_no_files_have_no_findings(self) -> None:
        self.assertEqual([], check.check([]).findings)

    def test_own_helpers_are_sound(self) -> None:
        result = self.assertSound(
            rule("rule:viewers")
            + rule("rule:support or rule:project_reader_or_admin", "viewers")
            + rule("role:support and project_id:%(project_id)s", "support")
        )
        self.assertIn("support", result.checks)


class AdviceTest(CheckCase):
    def test_rules_that_let_everyone_pass_are_reported(self) -> None:
        found = self.assertFound(
            Level.SECURITY,
            rule("@")
            + rule("", consoles.SHOW)
            + rule("rule:anyone", remote_consoles.CREATE)
            + rule("not !", "anyone"),
            (1, "lets everyone pass"),
            (2, "lets everyone pass"),
            (3, "lets everyone pass"),
        )
        self.assertIn("see the passwords", found[1].consequence)

    def test_misspelled_names_are_reported(self) -> None:
        self.assertFound(
            Level.WARNING,
            rule("!", "os_compute_api:os-consoles:indx")
            + rule("!", "os_compute_api:os-remote-console")
            + rule("!", "os_compute_api:os-console-output"),
            (1, INDEX),
            (2, remote_consoles.CREATE),
        )

    def test_helper_with_name_like_one_of_ours_is_sound(self) -> None:
        self.assertSound(
            rule("rule:project_members_api")
            + rule("role:member", "project_members_api")
        )

    def test_base_rules_without_effect_are_reported(self) -> None:
        self.assertFound(
            Level.ERROR,
            rule("role:operator", "admin_api")
            + rule("role:screen_user", "admin_or_owner")
            + rule("role:a", "project_manager_or_admin"),
            (1, "context_is_admin"),
            (2, "project_member_or_admin"),
            (3, "no effect"),
        )

    def test_base_rules_with_effect_or_default_are_sound(self) -> None:
        self.assertSound(
            rule("is_admin:True", "admin_api")
            + rule("role:a", "owner")
            + rule("rule:owner")
            + rule("role:a", "project_member_api")
            + rule("role:boss", "context_is_admin")
        )

    def test_parts_that_never_pass_are_reported(self) -> None:
        self.assertFound(
            Level.ERROR,
            rule("user_id:%(user_id)s or role:a")
            + rule("tenant_id:%(project_id)s", consoles.SHOW)
            + rule("rule:helper", consoles.CREATE)
            + rule("project_id:%(tenant_id)s", "helper"),
            (1, "user_id"),
            (2, "tenant_id"),
            (4, "tenant_id"),
        )

    def test_parts_that_require_another_scope_are_reported(self) -> None:
        self.assertFound(
            Level.ERROR,
            rule("rule:system_reader_api", console_auth_tokens.SHOW)
            + rule("domain_id:x", console_hosts.INDEX),
            (1, "system"),
            (2, "domain"),
        )
        self.assertFound(
            Level.WARNING, rule("role:a or system_scope:all"), (1, "system")
        )

    def test_checks_of_other_servers_are_reported(self) -> None:
        self.assertFound(
            Level.WARNING,
            rule("http://host/")
            + rule("role:a or https://host/", consoles.SHOW),
            (1, "remote_timeout"),
            (2, "remote_timeout"),
        )
