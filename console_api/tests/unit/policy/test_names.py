# SPDX-License-Identifier: Apache-2.0
from console_api.policies import consoles
from console_api.policy.findings import Level
from console_api.tests.unit.policy.base import INDEX, rule
from console_api.tests.unit.policy.test_check import (
    CheckCase,
    above_notes,
    check_text,
)

_SERVERS = "os_compute_api:servers:index"


class NamesTest(CheckCase):
    def assertNoted(self, text: str, *words: str) -> None:
        """Assert that there are only notes, the first one with these words."""
        result = check_text(text)
        [finding, *_others] = result.findings
        self.assertEqual(
            {Level.NOTE}, {each.level for each in result.findings}
        )
        for word in words:
            self.assertIn(word, str(finding))

    def test_rules_of_other_services_are_one_note(self) -> None:
        self.assertNoted(
            rule("rule:base", _SERVERS)
            + rule("role:x", "base")
            + rule("role:x", "create_network")
            + rule("role:x", "os_compute_api:servers:discoverable"),
            "3 rules are of operations of other services",
        )

    def test_unused_base_rules_are_reported(self) -> None:
        self.assertFound(
            Level.WARNING,
            rule("role:helpdesk", "helpdesk")
            + rule("rule:b", "a")
            + rule("rule:a", "b"),
            (1, "rule:helpdesk"),
            (2, "rule:a"),
            (3, "rule:b"),
        )

    def test_many_unused_base_rules_are_counted(self) -> None:
        found = above_notes(
            check_text("".join(rule("role:x", f"r{n}") for n in range(100)))
        )
        self.assertEqual(21, len(found))
        self.assertIn("80 more", str(found[-1]))

    def test_base_rule_of_a_broken_rule_is_not_unused(self) -> None:
        self.assertFound(
            Level.BROKEN,
            rule("rule:helper || role:b") + rule("role:a", "helper"),
            (1, "||"),
        )

    def test_base_rule_that_another_service_uses_is_noted(self) -> None:
        result = self.assertSound(
            rule("role:operator", "admin_api")
            + rule("rule:admin_api", _SERVERS)
        )
        self.assertEqual(
            [None, 1], [finding.line for finding in result.findings]
        )

    def test_former_names_are_reported(self) -> None:
        self.assertFound(
            Level.WARNING,
            rule("!", consoles.ROOT) + rule("!", "compute:get_vnc_console"),
            (1, consoles.SHOW),
            (2, "os_compute_api:os-remote-consoles"),
        )

    def test_rule_of_discoverable_is_noted(self) -> None:
        self.assertNoted(
            rule("@", f"{consoles.ROOT}:discoverable"), "Remove it"
        )

    def test_ignored_line_names_the_default_that_is_left(self) -> None:
        [finding] = check_text(
            rule("!", "os_compute_api:os-consoles:indx")
        ).findings
        self.assertIn(INDEX, finding.consequence)

    def test_rule_default_that_grants_is_an_error(self) -> None:
        self.assertFound(Level.ERROR, rule("@", "default"), (1, "no effect"))
        self.assertNoted(rule("!", "default"), "no effect")

    def test_deprecated_base_rules_are_noted(self) -> None:
        self.assertNoted(
            rule("rule:admin_api", consoles.CREATE),
            "rule:admin_api is deprecated",
            "context_is_admin",
        )

    def test_override_by_a_later_file_is_noted(self) -> None:
        [finding, *_others] = check_text(
            "#\n" + rule("role:a"), rule("role:b")
        ).findings
        self.assertEqual(("1.yaml", 1), (str(finding.path), finding.line))
        self.assertIn("0.yaml, line 2", finding.message)
