# SPDX-License-Identifier: Apache-2.0
import contextlib
import io
import unittest

import yaml
from oslo_config import cfg
from oslo_policy import generator, policy

from console_api import policies
from console_api.api import routes
from console_api.api.schemas import remote_consoles
from console_api.tests.unit import base

# The rules that policy files written for Nova refer to.
NOVA_BASE_RULES = {
    "admin_api",
    "admin_or_owner",
    "context_is_admin",
    "owner",
    "project_admin_api",
    "project_manager_api",
    "project_manager_or_admin",
    "project_member_api",
    "project_member_or_admin",
    "project_reader_api",
    "project_reader_or_admin",
    "service_api",
    "service_or_admin",
    "system_admin_api",
    "system_admin_or_owner",
    "system_or_project_reader",
    "system_reader_api",
}

OPERATIONS = {
    "os_compute_api:os-console-auth-tokens",
    "os_compute_api:os-console-hosts:index",
    "os_compute_api:os-consoles:create",
    "os_compute_api:os-consoles:delete",
    "os_compute_api:os-consoles:index",
    "os_compute_api:os-consoles:show",
    "os_compute_api:os-remote-consoles",
}


class RulesTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.rules = {rule.name: rule for rule in policies.list_rules()}

    def operations(self, name: str) -> list[policy.Operation]:
        """Return what the documentation of a rule says that it is for."""
        rule = self.rules[name]
        assert isinstance(rule, policy.DocumentedRuleDefault)
        return rule.operations

    def test_no_rule_is_given_twice(self) -> None:
        self.assertEqual(len(policies.list_rules()), len(self.rules))

    def test_the_names_are_those_that_administrators_of_nova_know(
        self,
    ) -> None:
        self.assertEqual(OPERATIONS | NOVA_BASE_RULES, set(self.rules))

    def test_every_rule_is_described(self) -> None:
        for name, rule in self.rules.items():
            with self.subTest(name):
                self.assertGreater(len(rule.description or ""), 10)

    def test_every_rule_of_an_operation_is_documented(self) -> None:
        for name in OPERATIONS:
            with self.subTest(name):
                self.assertTrue(self.operations(name))
                self.assertEqual(["project"], self.rules[name].scope_types)

    def test_every_operation_of_the_api_is_in_a_rule_and_no_other(
        self,
    ) -> None:
        documented = {
            (operation["method"], operation["path"].partition(" ")[0])
            for name in OPERATIONS
            for operation in self.operations(name)
        }
        self.assertEqual(
            {(route.method, route.path) for route in routes.ROUTES},
            documented,
        )

    def test_the_legacy_actions_are_named_in_their_rule(self) -> None:
        paths = {
            operation["path"]
            for operation in self.operations(
                "os_compute_api:os-remote-consoles"
            )
        }
        self.assertEqual(
            {
                f"/servers/{{server_id}}/action ({action})"
                for action in remote_consoles.ACTIONS
            },
            {path for path in paths if "action" in path},
        )

    def test_every_rule_that_is_referred_to_is_there(self) -> None:
        enforcer = policy.Enforcer(cfg.ConfigOpts(), use_conf=False)
        enforcer.register_defaults(list(self.rules.values()))
        enforcer.load_rules()
        self.assertTrue(enforcer.check_rules(raise_on_violation=True))


class SampleTest(base.FolderCase):
    def test_the_sample_file_has_every_rule_and_changes_none(self) -> None:
        sample = self.folder / "policy.yaml.sample"
        arguments = ["--namespace", "console_api", "--output-file"]
        with contextlib.redirect_stdout(io.StringIO()):
            generator.generate_sample([*arguments, str(sample)])
        text = sample.read_text()
        self.assertIsNone(yaml.safe_load(text))
        uncommented = "\n".join(
            line.removeprefix("#")
            for line in text.splitlines()
            if line.startswith('#"')
        )
        self.assertEqual(
            {rule.name: rule.check_str for rule in policies.list_rules()},
            yaml.safe_load(uncommented),
        )
