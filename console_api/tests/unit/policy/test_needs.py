# SPDX-License-Identifier: Apache-2.0
import unittest
from unittest import mock

from oslo_policy import _checks, policy

from console_api.policy.needs import Needs, needs


class ThirdPartyCheck(_checks.RoleCheck):
    """A check that could ask a server."""


class NeedsTest(unittest.TestCase):
    def needs(self, check: str, admin: str = "role:admin") -> Needs:
        """Return what a rule needs that comes after some others."""
        rules = {
            "context_is_admin": admin,
            "own": "project_id:%(project_id)s",
            "remote": "http://policy.example.org/",
            "admin": "is_admin:True",
            "tested": check,
        }
        return needs(policy.Rules.from_dict(rules))["tested"]

    def test_parts_and_references_count(self) -> None:
        everything = Needs.TARGET | Needs.ADMIN | Needs.OUTSIDE
        for check, expected in (
            ("@", Needs.NOTHING),
            ("!", Needs.NOTHING),
            ("role:member and not user_id:x", Needs.NOTHING),
            ("rule:context_is_admin", Needs.NOTHING),
            ("project_id:x", Needs.NOTHING),
            ("role:%(project_id)s", Needs.TARGET),
            ("role:x or (role:y and rule:own)", Needs.TARGET),
            ("is_admin:True", Needs.ADMIN),
            ("not rule:admin or rule:own", Needs.ADMIN | Needs.TARGET),
            ("https://policy.example.org/", everything),
            ("role:x or not rule:remote", everything),
        ):
            with self.subTest(check):
                self.assertEqual(expected, self.needs(check))

    def test_is_admin_needs_what_its_rule_needs(self) -> None:
        admin = "http://policy.example.org/"
        self.assertIn(Needs.OUTSIDE, self.needs("rule:admin", admin))
        self.assertNotIn(Needs.OUTSIDE, self.needs("role:x", admin))

    def test_check_of_third_party_may_need_everything(self) -> None:
        with mock.patch.dict(
            _checks.registered_checks, {"vendor": ThirdPartyCheck}
        ):
            self.assertIn(Needs.OUTSIDE, self.needs("vendor:x"))
