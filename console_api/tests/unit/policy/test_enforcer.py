# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from oslo_context.context import RequestContext

from console_api import conf as configuration
from console_api import errors
from console_api.policies import console_auth_tokens, consoles
from console_api.policy import enforcer as policy
from console_api.tests.unit import base
from console_api.tests.unit.base import OTHER_PROJECT, PROJECT

INDEX, CREATE, TOKENS = (
    consoles.INDEX,
    consoles.CREATE,
    console_auth_tokens.SHOW,
)


class PolicyCase(base.FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "policy.yaml"
        self.addCleanup(base.forget_context)
        self.now = 1000.0
        self.enterContext(
            mock.patch.object(
                policy, "time", SimpleNamespace(monotonic=lambda: self.now)
            )
        )

    def load(self, text: str = "") -> policy.Enforcer:
        conf = base.load_conf(self.folder)
        self.path.write_text(text)
        return policy.Enforcer(conf)

    def edit(self, path: Path, text: str) -> None:
        """Put another file in the place of a file, and let time pass."""
        draft = self.folder / "draft"
        draft.write_text(text)
        draft.rename(path)
        self.pass_time()

    def pass_time(self) -> None:
        """Let as much time pass as an edit may take to count."""
        self.now += policy.LOOK_INTERVAL

    def caller(
        self, *roles: str, project: str | None = PROJECT, **more: Any
    ) -> RequestContext:
        return RequestContext(
            user_id="a-user",
            project_id=project,
            roles=list(roles),
            overwrite=False,
            **more,
        )


class DefaultsTest(PolicyCase):
    def test_each_persona_may_do_what_its_role_is_for(self) -> None:
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
            for rule, expected in (
                (INDEX, index),
                (CREATE, create),
                (TOKENS, tokens),
            ):
                with self.subTest(role=role, rule=rule):
                    self.assertEqual(
                        expected,
                        {
                            project
                            for project in both
                            if enforcer.allows(
                                self.caller(role), rule, project
                            )
                        },
                    )

    def test_a_token_of_another_scope_is_refused(self) -> None:
        enforcer = self.load()
        for scope in ({"system_scope": "all"}, {"domain_id": "a-domain"}):
            caller = self.caller("admin", project=None, **scope)
            with self.subTest(scope):
                self.assertFalse(enforcer.allows(caller, INDEX, PROJECT))

    def test_a_token_has_to_be_scoped_to_a_project(self) -> None:
        policy.check_scope(self.caller("reader"))
        for scope, said in (
            ({"system_scope": "all"}, "the system"),
            ({"domain_id": "a-domain"}, "a domain"),
            ({}, "nothing"),
        ):
            caller = self.caller("admin", project=None, **scope)
            with (
                self.subTest(said),
                self.assertRaisesRegex(
                    errors.ProjectScopeRequired, f"scoped to {said}\\."
                ),
            ):
                policy.check_scope(caller)

    def test_an_unknown_rule_refuses(self) -> None:
        enforcer = self.load()
        self.assertFalse(
            enforcer.allows(self.caller("admin"), "unknown", PROJECT)
        )


class FilesTest(PolicyCase):
    def test_a_rule_can_ask_for_the_roles_of_a_service_token(self) -> None:
        for check, expected in (
            ("role:service", (False, False)),
            ("service_roles:service", (False, True)),
        ):
            enforcer = self.load(f'"{INDEX}": "{check}"\n')
            callers = (
                self.caller("member"),
                self.caller("member", service_roles=["a", "service"]),
            )
            with self.subTest(check):
                found = [enforcer.allows(c, INDEX, PROJECT) for c in callers]
                self.assertEqual(expected, tuple(found))

    def test_a_rule_of_the_file_counts_before_the_default(self) -> None:
        enforcer = self.load(f'"{INDEX}": "role:auditor"\n')
        for role, expected in (("auditor", True), ("admin", False)):
            with self.subTest(role):
                self.assertEqual(
                    expected,
                    enforcer.allows(self.caller(role), INDEX, PROJECT),
                )

    def test_a_file_written_for_nova_is_understood(self) -> None:
        for rule, caller, expected in (
            ("rule:admin_or_owner", self.caller("other"), True),
            ("rule:admin_api", self.caller("other"), False),
            ("rule:admin_api", self.caller("admin"), True),
            ("is_admin:True", self.caller("admin"), True),
            ("is_admin:True", self.caller("member"), False),
            ("rule:owner", self.caller("other", project="x"), False),
            ("rule:system_or_project_reader", self.caller("reader"), True),
            ("rule:system_admin_or_owner", self.caller("other"), True),
            ("rule:project_manager_or_admin", self.caller("manager"), True),
            ("rule:project_manager_or_admin", self.caller("member"), False),
            (
                "rule:project_manager_or_admin",
                self.caller("manager", project="x"),
                False,
            ),
            ("rule:project_admin_api", self.caller("admin"), True),
            ("rule:project_admin_api", self.caller("manager"), False),
            (
                "rule:project_admin_api",
                self.caller("admin", project="x"),
                False,
            ),
            ("user_id:a-user", self.caller(), True),
            ("user_id:%(user_id)s", self.caller(), False),
            ("not role:guest", self.caller("guest"), False),
            ("!", self.caller("admin"), False),
            ("@", self.caller(), True),
        ):
            with self.subTest(rule, caller=caller.roles):
                enforcer = self.load(f'"{INDEX}": "{rule}"\n')
                self.assertEqual(
                    expected, enforcer.allows(caller, INDEX, PROJECT)
                )

    def test_who_is_an_administrator_can_be_changed(self) -> None:
        enforcer = self.load('"context_is_admin": "role:boss"\n')
        self.assertTrue(
            enforcer.allows(self.caller("boss"), CREATE, OTHER_PROJECT)
        )
        self.assertFalse(
            enforcer.allows(self.caller("admin"), CREATE, OTHER_PROJECT)
        )

    def test_files_of_the_policy_folder_count_last(self) -> None:
        folder = self.folder / "policy.d"
        folder.mkdir()
        (folder / "10.yaml").write_text(f'"{INDEX}": "role:ten"\n')
        (folder / "20.yaml").write_text(f'"{INDEX}": "role:twenty"\n')
        (folder / ".hidden").write_text("[")
        enforcer = self.load(f'"{INDEX}": "role:file"\n')
        for role, expected in (
            ("file", False),
            ("ten", False),
            ("twenty", True),
        ):
            with self.subTest(role):
                self.assertEqual(
                    expected,
                    enforcer.allows(self.caller(role), INDEX, PROJECT),
                )

    def test_a_rule_that_refers_to_itself_refuses(self) -> None:
        enforcer = self.load(
            f'"a": "rule:b"\n"b": "rule:a"\n"{INDEX}": "rule:a"\n'
        )
        self.assertFalse(enforcer.allows(self.caller("admin"), INDEX, PROJECT))

    def test_a_check_that_fails_refuses_and_is_logged(self) -> None:
        enforcer = self.load(f'"{INDEX}": "http://127.0.0.1:0/"\n')
        with (
            mock.patch(
                "oslo_policy._external.HttpCheck.__call__",
                side_effect=OSError("nobody listens"),
            ),
            self.assertLogs(policy.LOG, "ERROR") as logs,
        ):
            self.assertFalse(
                enforcer.allows(self.caller("admin"), INDEX, PROJECT)
            )
        self.assertIn(INDEX, logs.output[0])

    def test_without_a_file_the_defaults_are_in_force(self) -> None:
        base.write_conf(self.folder)
        text = (self.folder / "console_api.conf").read_text()
        (self.folder / "console_api.conf").write_text(
            "".join(
                line
                for line in text.splitlines(keepends=True)
                if not line.startswith("policy_file")
            )
        )
        enforcer = policy.Enforcer(configuration.load(self.folder))
        self.assertTrue(enforcer.allows(self.caller("reader"), INDEX, PROJECT))


class RefusedFilesTest(PolicyCase):
    def test_a_file_that_is_configured_and_absent_is_named(self) -> None:
        conf = base.load_conf(self.folder)
        self.path.unlink()
        with self.assertRaisesRegex(
            errors.ConfigurationError, r"policy_file: .*policy\.yaml"
        ):
            policy.Enforcer(conf)

    def test_a_file_that_makes_no_sense_is_named(self) -> None:
        for text in ("a: [\n", "just text\n", "- a list\n", '"a": 1\n'):
            with (
                self.subTest(text),
                self.assertRaisesRegex(
                    errors.ConfigurationError, str(self.path)
                ),
            ):
                self.load(text)

    def test_a_file_that_cannot_be_read_is_named(self) -> None:
        conf = base.load_conf(self.folder)
        self.path.write_bytes(b"\xff\xfe")
        with self.assertRaisesRegex(errors.ConfigurationError, str(self.path)):
            policy.Enforcer(conf)

    def test_a_file_in_the_place_of_the_policy_folder_is_refused(self) -> None:
        (self.folder / "policy.d").touch()
        with self.assertRaisesRegex(errors.ConfigurationError, "policy.d"):
            self.load()

    def test_a_folder_in_the_place_of_the_file_is_refused(self) -> None:
        conf = base.load_conf(self.folder)
        self.path.unlink()
        self.path.mkdir()
        with self.assertRaisesRegex(
            errors.ConfigurationError, "cannot be read.*directory"
        ):
            policy.Enforcer(conf)

    def test_a_dangling_link_is_refused(self) -> None:
        conf = base.load_conf(self.folder)
        (self.folder / "policy.d").mkdir()
        for path in (
            self.folder / "policy.d" / "one.yaml",
            self.folder / "policy.d",
        ):
            if path.is_dir():
                path.rmdir()
            path.symlink_to(self.folder / "absent")
            with (
                self.subTest(path.name),
                self.assertRaisesRegex(errors.ConfigurationError, str(path)),
            ):
                policy.Enforcer(conf)
            path.unlink()


class ToolsTest(PolicyCase):
    def test_the_tools_of_oslo_policy_get_our_rules_and_files(self) -> None:
        base.load_conf(self.folder)
        self.path.write_text(f'"{INDEX}": "role:one"\n')
        environment = {configuration.ENVIRONMENT: str(self.folder)}
        with mock.patch.dict(os.environ, environment):
            enforcer = policy.get_enforcer()
        enforcer.load_rules()
        self.assertEqual("role:one", str(enforcer.rules[INDEX]))
        self.assertIn(CREATE, enforcer.rules)
