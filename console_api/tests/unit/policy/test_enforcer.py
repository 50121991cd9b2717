# SPDX-License-Identifier: Apache-2.0

from console_api import errors
from console_api.policies import console_auth_tokens, consoles
from console_api.policy import decisions
from console_api.policy import enforcer as policy
from console_api.tests.unit.base import OTHER_PROJECT, PROJECT
from console_api.tests.unit.policy.base import (
    INDEX,
    PolicyCase,
    caller,
    failing_checks,
    rule,
)

CREATE = consoles.CREATE
TOKENS = console_auth_tokens.SHOW


class ScopeTest(PolicyCase):
    def test_only_project_scope_is_accepted(self) -> None:
        policy.check_scope(caller("reader"))
        for scope, name in (
            ({"system_scope": "all"}, "a system-scoped token"),
            ({"domain_id": "a-domain"}, "a domain-scoped token"),
            ({}, "an unscoped token"),
        ):
            with (
                self.subTest(name),
                self.assertLogs(policy.LOG, "INFO") as logs,
                self.assertRaisesRegex(errors.ProjectScopeRequired, name),
            ):
                policy.check_scope(caller("admin", project=None, **scope))
            self.assertIn(f"Refused {name}.", logs.output[0])


class RulesTest(PolicyCase):
    def test_defaults_follow_personas(self) -> None:
        enforcer = self.load()
        both = {PROJECT, OTHER_PROJECT}
        for role, index, create, tokens in (
            ("admin", both, both, both),
            ("Admin", both, both, both),
            ("manager", {PROJECT}, {PROJECT}, set()),
            ("member", {PROJECT}, {PROJECT}, set()),
            ("reader", {PROJECT}, set(), set()),
            ("service", set(), set(), both),
            ("other", set(), set(), set()),
        ):
            for name, expected in (
                (INDEX, index),
                (CREATE, create),
                (TOKENS, tokens),
                ("unknown", set()),
            ):
                with self.subTest(role=role, rule=name):
                    allowed = {
                        project
                        for project in both
                        if enforcer.allows(caller(role), name, project)
                    }
                    self.assertEqual(expected, allowed)

    def test_token_without_project_scope_is_refused(self) -> None:
        enforcer = self.load()
        for scope in ({"system_scope": "all"}, {"domain_id": "a-domain"}):
            admin = caller("admin", project=None, **scope)
            with self.subTest(scope):
                self.assertFalse(enforcer.allows(admin, INDEX, PROJECT))

    def test_checks_of_policy_files_are_evaluated(self) -> None:
        """Including the base rules that files written for Nova reference."""
        service = caller("member", service_roles=["a", "service"])
        for check, who, expected in (
            ("role:auditor", caller("auditor"), True),
            ("role:auditor", caller("admin"), False),
            ("role:service", service, False),
            ("service_roles:service", service, True),
            ("service_roles:service", caller("service"), False),
            ("rule:admin_or_owner", caller("other"), True),
            ("rule:admin_api", caller("other"), False),
            ("rule:admin_api", caller("admin"), True),
            ("is_admin:True", caller("admin"), True),
            ("is_admin:True", caller("member"), False),
            ("rule:owner", caller("other", project="x"), False),
            ("rule:system_or_project_reader", caller("reader"), True),
            ("rule:system_admin_or_owner", caller("other"), True),
            ("rule:project_manager_or_admin", caller("manager"), True),
            ("rule:project_manager_or_admin", caller("member"), False),
            (
                "rule:project_manager_or_admin",
                caller("manager", project="x"),
                False,
            ),
            ("rule:project_admin_api", caller("admin"), True),
            ("rule:project_admin_api", caller("manager"), False),
            ("rule:project_admin_api", caller("admin", project="x"), False),
            ("user_id:a-user", caller(), True),
            ("user_id:%(user_id)s", caller(), False),
            ("not role:guest", caller("guest"), False),
            ("!", caller("admin"), False),
            ("@", caller(), True),
        ):
            with self.subTest(check, caller=who.roles):
                enforcer = self.load(rule(check))
                self.assertEqual(
                    expected, enforcer.allows(who, INDEX, PROJECT)
                )

    def test_context_is_admin_can_be_overridden(self) -> None:
        enforcer = self.load(rule("role:boss", "context_is_admin"))
        for role, expected in (("boss", True), ("admin", False)):
            with self.subTest(role):
                self.assertEqual(
                    expected,
                    enforcer.allows(caller(role), CREATE, OTHER_PROJECT),
                )

    def test_check_that_raises_refuses_and_is_logged(self) -> None:
        enforcer = self.load(rule("user_id:x"))
        with (
            failing_checks(),
            self.assertLogs(decisions.LOG, "ERROR") as logs,
        ):
            self.assertFalse(self.may(enforcer, "admin"))
        self.assertIn(INDEX, logs.output[0])

    def test_unavailable_server_of_check_is_reported(self) -> None:
        enforcer = self.load(rule("role:other or http://127.0.0.1:0/"))
        with (
            self.assertLogs(decisions.LOG, "ERROR") as logs,
            self.assertRaises(errors.PolicyUnavailable) as caught,
        ):
            self.may(enforcer, "admin")
        self.assertIn(INDEX, logs.output[0])
        self.assertNotIn("127.0.0.1", str(caught.exception))


class ReloadTest(PolicyCase):
    def test_edit_takes_effect(self) -> None:
        enforcer = self.load(rule("role:one"))
        self.assertTrue(self.may(enforcer, "one"))
        self.edit(self.path, rule("role:two"))
        self.assertFalse(self.may(enforcer, "one"))
        self.assertTrue(self.may(enforcer, "two"))
