# SPDX-License-Identifier: Apache-2.0
import unittest
from unittest import mock

from oslo_policy import policy

from console_api.policy import explain
from console_api.tests.unit.policy.base import PolicyCase

RULES = {
    "own": "project_id:%(project_id)s",
    "member": "role:member and rule:own",
    "admin": "role:admin",
}


class FailedChecksTest(PolicyCase):
    def failed(self, check: str) -> list[str]:
        """Return what a member of another project fails."""
        enforcer = mock.Mock()
        enforcer.rules = policy.Rules.from_dict({**RULES, "r": check})
        credentials = {"roles": ["member"], "project_id": "a"}
        return explain.failed_checks(
            enforcer, "r", {"project_id": "b"}, credentials
        )

    def test_failed_checks_are_named_with_their_rules(self) -> None:
        own = "project_id:%(project_id)s in own"
        for check, expected in (
            ("!", ["! in r"]),
            ("rule:member", [own]),
            ("rule:member or rule:admin", [own, "role:admin in admin"]),
            ("role:x and role:y", ["role:x in r", "role:y in r"]),
            ("(role:member or role:x) and role:y", ["role:y in r"]),
            ("not role:member", ["not role:member in r"]),
            ("rule:member or rule:own", [own]),
        ):
            with self.subTest(check):
                self.assertEqual(expected, self.failed(check))

    def test_servers_are_not_asked(self) -> None:
        for check, expected in (
            ("http://x/ and role:member", ["http://x/ in r"]),
            ("role:x or http://x/", ["role:x in r", "http://x/ in r"]),
            ("not http://x/", ["not http://x/ in r"]),
        ):
            with (
                self.subTest(check),
                mock.patch("requests.post") as post,
            ):
                self.assertEqual(expected, self.failed(check))
                post.assert_not_called()

    def test_undefined_rule_is_named(self) -> None:
        enforcer = mock.Mock()
        enforcer.rules = policy.Rules.from_dict({})
        self.assertEqual(
            ["undefined rule"], explain.failed_checks(enforcer, "r", {}, {})
        )


class ChangesTest(unittest.TestCase):
    def changes(
        self, before: dict[str, str], after: dict[str, str]
    ) -> list[str]:
        """Return the changes between two sets of rules."""
        return list(
            explain.changes(
                policy.Rules.from_dict(before), policy.Rules.from_dict(after)
            )
        )

    def test_changed_added_and_removed_rules_are_named(self) -> None:
        lines = self.changes(
            {"same": "role:a", "edited": "role:a", "removed": "!"},
            {"same": "(role:a)", "edited": "role:b", "added": "@"},
        )
        self.assertEqual(
            [
                'The policy rule edited is now "role:b"; it was "role:a".',
                'The policy rule removed is now undefined; it was "!".',
                'The policy rule added is now "@"; it was undefined.',
            ],
            lines,
        )

    def test_lines_are_limited_in_number_and_length(self) -> None:
        names = [f"{number:01000}" for number in range(100)]
        lines = self.changes(
            dict.fromkeys(names, f"role:{'a' * 1000}"),
            dict.fromkeys(names, f"role:{'b' * 1000}"),
        )
        self.assertEqual(21, len(lines))
        self.assertEqual("80 more policy rules changed.", lines[-1])
        for line in lines:
            self.assertLess(len(line), 500)
