# SPDX-License-Identifier: Apache-2.0
import logging
from unittest import mock

from oslo_policy import policy as oslo_policy

from console_api.policies import console_auth_tokens, consoles
from console_api.policy import decisions
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


class CacheTest(PolicyCase):
    def setUp(self) -> None:
        super().setUp()
        self.enforce = self.enterContext(
            mock.patch.object(
                oslo_policy.Enforcer,
                "enforce",
                autospec=True,
                side_effect=oslo_policy.Enforcer.enforce,
            )
        )

    def is_cached(self, text: str, project: str = PROJECT) -> bool:
        """Return whether the second of two requests uses the cache.

        :param project: the project of the server of the second request
        """
        allows = self.load(text).allows
        first = allows(caller("member"), INDEX, PROJECT)
        self.enforce.reset_mock()
        allows(caller("member"), INDEX, project)
        self.assertTrue(first)
        return not self.enforce.called

    def test_decision_of_pure_checks_is_cached(self) -> None:
        for check in (
            "@",
            "role:member",
            "not role:other",
            "role:member and rule:owner or project_id:x",
        ):
            with self.subTest(check):
                self.assertTrue(self.is_cached(rule(check)))

    def test_decision_without_target_is_cached_for_all_projects(self) -> None:
        for check, expected in (
            ("role:member", True),
            ("role:member or rule:owner", False),
            ("not is_admin:True", True),
        ):
            with self.subTest(check):
                self.assertEqual(
                    expected, self.is_cached(rule(check), OTHER_PROJECT)
                )

    def test_decision_of_external_checks_is_not_cached(self) -> None:
        with mock.patch(
            "oslo_policy._external.HttpCheck.__call__", return_value=True
        ):
            for text in (
                rule("http://127.0.0.1:0/"),
                rule("role:other or http://127.0.0.1:0/"),
                rule("not (role:other and http://127.0.0.1:0/)"),
                rule("rule:remote") + rule("http://127.0.0.1:0/", "remote"),
            ):
                with self.subTest(text):
                    self.assertFalse(self.is_cached(text))

    def test_external_check_affects_only_rules_that_reference_it(self) -> None:
        self.assertTrue(
            self.is_cached(
                rule("http://127.0.0.1:0/", TOKENS) + rule("role:member")
            )
        )

    def test_failure_of_a_check_is_not_cached(self) -> None:
        allows = self.load(rule("role:member")).allows
        self.enforce.side_effect = OSError("too many open files")
        with self.assertLogs(level="ERROR"):
            self.assertFalse(allows(caller("member"), INDEX, PROJECT))
        self.enforce.side_effect = [True]
        self.assertTrue(allows(caller("member"), INDEX, PROJECT))

    def test_cache_distinguishes_caller_rule_and_project(self) -> None:
        allows = self.load().allows
        self.assertTrue(allows(caller("member"), CREATE, PROJECT))
        for who, name, project in (
            (caller("reader"), CREATE, PROJECT),
            (caller("member", project="x"), CREATE, PROJECT),
            (caller("member"), TOKENS, PROJECT),
            (caller("member"), CREATE, OTHER_PROJECT),
            (
                caller("member", project=None, system_scope="all"),
                CREATE,
                PROJECT,
            ),
        ):
            with self.subTest(caller=who, rule=name, project=project):
                self.assertFalse(allows(who, name, project))

    def test_full_cache_still_serves_most_requests(self) -> None:
        self.enterContext(mock.patch.object(decisions, "_MAX_DECISIONS", 100))
        allows = self.load().allows
        projects = [str(number) for number in range(101)]
        for _ in range(2):
            for project in projects:
                allows(caller("admin"), INDEX, project)
        self.enforce.reset_mock()
        for project in projects:
            self.assertTrue(allows(caller("admin"), INDEX, project))
        self.assertLess(self.enforce.call_count, 50)

    def test_decision_for_large_credentials_is_not_cached(self) -> None:
        allows = self.load().allows
        for count, is_cached in ((20, True), (4000, False)):
            roles = [f"r{number}" for number in range(count)]
            for who in (
                caller("member", *roles),
                caller("member", service_roles=roles),
            ):
                allows(who, INDEX, PROJECT)
                self.enforce.reset_mock()
                self.assertTrue(allows(who, INDEX, PROJECT))
                with self.subTest(count=count):
                    self.assertEqual(is_cached, not self.enforce.called)


class RefusalLogTest(PolicyCase):
    def refuse(self, *roles: str, text: str = "") -> str:
        """Return what is logged when a request is refused again."""
        allows = self.load(text).allows
        allows(caller(*roles), INDEX, OTHER_PROJECT)
        with self.assertLogs(decisions.LOG, "DEBUG") as logs:
            self.assertFalse(allows(caller(*roles), INDEX, OTHER_PROJECT))
        [line] = logs.output
        return line

    def test_refusal_names_rule_caller_target_and_failed_checks(self) -> None:
        line = self.refuse("member", "auditor")
        for part in (
            INDEX,
            "a-user",
            f"of project {PROJECT} ",
            f"on project {OTHER_PROJECT}.",
            "member, auditor",
            "project_id:%(project_id)s in project_reader_api",
            "role:admin in context_is_admin",
        ):
            self.assertIn(part, line)
        self.assertNotIn("role:member", line)

    def test_line_is_short(self) -> None:
        line = self.refuse(
            *("r" * 500 for _ in range(500)),
            text=rule(" or ".join(f"role:{n:0100}" for n in range(200))),
        )
        self.assertLess(len(line), 5000)
        self.assertIn("and 480 more", line)

    def test_servers_are_not_asked(self) -> None:
        with mock.patch(
            "oslo_policy._external.HttpCheck.__call__", return_value=False
        ) as ask:
            line = self.refuse(
                text=rule("http://127.0.0.1:0/", "context_is_admin")
                + rule("is_admin:True")
            )
        self.assertEqual(2, ask.call_count)
        self.assertIn(f"is_admin:True in {INDEX}", line)

    def test_failing_check_does_not_matter(self) -> None:
        allows = self.load(rule("role:other or user_id:x")).allows
        with failing_checks(), self.assertLogs(level="ERROR"):
            self.assertFalse(allows(caller("member"), INDEX, PROJECT))

    def test_nothing_is_logged_above_debug(self) -> None:
        allows = self.load().allows
        with self.assertNoLogs(level=logging.INFO):
            allows(caller(), INDEX, PROJECT)
