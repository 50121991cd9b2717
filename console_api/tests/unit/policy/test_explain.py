# SPDX-License-Identifier: Apache-2.0
from unittest import mock

from oslo_policy import policy

from console_api.policy import explain
from console_api.tests.unit.policy.base import PolicyCase

RULES = {
    "own": "project_id:%(project_id)s",
    "member": "role:member and rule:own",
    "admin": "role:admin",
}


class DecidingPartsTest(PolicyCase):
    def parts(self, check: str, *, is_allowed: bool) -> list[str]:
        """Return what decides on a member of another project."""
        enforcer = mock.Mock()
        enforcer.rules = policy.Rules.from_dict({**RULES, "r": check})
        credentials = {"roles": ["member"], "project_id": "a"}
        parts = explain.deciding_parts(
            enforcer,
            "r",
            {"project_id": "b"},
            credentials,
            is_allowed=is_allowed,
        )
        return list(map(str, parts))

    def test_failed_checks_are_named_with_their_rules(self) -> None:
        own = "project_id:%(project_id)s in own"
        for check, expected in (
            ("!", ["! in r"]),
            ("rule:member", [own]),
            ("rule:member or rule:admin", [own, "role:admin in admin"]),
            ("role:x and role:y", ["role:x in r", "role:y in r"]),
            ("(role:member or role:x) and role:y", ["role:y in r"]),
            ("not role:member", ["not role:member in r"]),
            ("not (role:member or role:x)", ["not role:member in r"]),
            ("not not role:x", ["role:x in r"]),
            ("rule:member or rule:own", [own]),
        ):
            with self.subTest(check):
                self.assertEqual(expected, self.parts(check, is_allowed=False))

    def test_all_alternatives_that_pass_are_named(self) -> None:
        for check, expected in (
            ("@", ["@ in r"]),
            ("role:member or role:x", ["role:member in r"]),
            ("role:member or @", ["role:member in r", "@ in r"]),
            (
                "role:member and not role:x",
                ["role:member in r", "not role:x in r"],
            ),
            ("not rule:admin", ["not role:admin in admin"]),
        ):
            with self.subTest(check):
                self.assertEqual(expected, self.parts(check, is_allowed=True))

    def test_servers_are_not_asked(self) -> None:
        for check, is_allowed, expected in (
            ("http://x/ and role:member", False, ["http://x/ in r"]),
            ("http://x/ and role:x", False, ["http://x/ in r", "role:x in r"]),
            ("role:x or http://x/", False, ["role:x in r", "http://x/ in r"]),
            ("role:x or http://x/", True, ["http://x/ in r"]),
            ("not http://x/", False, ["not http://x/ in r"]),
            # Whether the caller is an administrator is not known here.
            ("is_admin:True", False, ["is_admin:True in r"]),
            ("is_admin:True or role:x", True, ["is_admin:True in r"]),
        ):
            with (
                self.subTest(check, is_allowed=is_allowed),
                mock.patch("requests.post") as post,
            ):
                found = self.parts(check, is_allowed=is_allowed)
                self.assertEqual(expected, found)
                post.assert_not_called()

    def test_undefined_rule_is_named(self) -> None:
        enforcer = mock.Mock()
        enforcer.rules = policy.Rules.from_dict({})
        [part] = explain.deciding_parts(
            enforcer, "r", {}, {}, is_allowed=False
        )
        self.assertEqual("undefined rule in r", str(part))
