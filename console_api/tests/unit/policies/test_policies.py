# SPDX-License-Identifier: Apache-2.0
import contextlib
import io
import unittest

import yaml
from oslo_config import cfg
from oslo_policy import generator, policy

from console_api import policies
from console_api.api import routes, targets
from console_api.policies import servers
from console_api.policy.access import ACCESS
from console_api.tests.unit import base

# The rules that policy files written for Nova reference.
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


class RulesTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.rules = {rule.name: rule for rule in policies.list_rules()}

    def test_rule_names_are_unique(self) -> None:
        self.assertEqual(len(policies.list_rules()), len(self.rules))

    def test_every_rule_has_description(self) -> None:
        for name, rule in self.rules.items():
            with self.subTest(name):
                self.assertGreater(len(rule.description or ""), 10)

    def test_rules_are_those_of_nova_and_of_the_route_table(self) -> None:
        operations = {route.rule for route in routes.ROUTES}
        self.assertEqual(
            operations | NOVA_BASE_RULES | {servers.ALL_TENANTS},
            set(self.rules),
        )

    def test_every_rule_documents_the_operations_of_its_routes(self) -> None:
        for name in {route.rule for route in routes.ROUTES}:
            with self.subTest(name):
                rule = self.rules[name]
                assert isinstance(rule, policy.DocumentedRuleDefault)
                self.assertEqual(["project"], rule.scope_types)
                self.assertEqual(
                    [
                        {"method": route.method, "path": path}
                        for route in routes.ROUTES
                        if route.rule == name
                        for path in route.documented_paths
                    ],
                    rule.operations,
                )

    def test_rule_of_other_projects_documents_all_operations(self) -> None:
        rule = self.rules[servers.ALL_TENANTS]
        assert isinstance(rule, policy.DocumentedRuleDefault)
        self.assertCountEqual(
            {
                (route.method, route.path)
                for route in routes.ROUTES
                if route.target is not targets.listed_projects
                and servers.ALL_TENANTS in ACCESS[route.rule].other
            }
            | {
                ("GET", f"{path} (all_projects=true)")
                for path in ("/os-consoles", "/os-console-sessions")
            },
            [(item["method"], item["path"]) for item in rule.operations],
        )

    def test_every_referenced_rule_is_defined(self) -> None:
        checks = {name: rule.check for name, rule in self.rules.items()}
        conf = cfg.ConfigOpts()
        conf([], project="console_api", default_config_files=[])
        enforcer = policy.Enforcer(conf, rules=checks, use_conf=False)
        self.assertTrue(enforcer.check_rules(raise_on_violation=True))
        self.assertEqual(set(self.rules), set(enforcer.rules))


class SampleTest(base.FolderCase):
    def test_sample_file_lists_every_rule_and_changes_none(self) -> None:
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
