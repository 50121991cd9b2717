# SPDX-License-Identifier: Apache-2.0
import unittest
from pathlib import Path

from oslo_policy import policy

from console_api import policies
from console_api.api import routes
from console_api.policies import servers
from console_api.policy.access import ACCESS


class AccessTest(unittest.TestCase):
    def test_operations_are_those_of_the_route_table(self) -> None:
        self.assertEqual({r.rule for r in routes.ROUTES}, ACCESS.keys())

    def test_operations_are_those_of_the_documented_rules(self) -> None:
        documented = {
            rule.name
            for rule in policies.list_rules()
            if isinstance(rule, policy.DocumentedRuleDefault)
        }
        self.assertEqual(documented, {*ACCESS, servers.ALL_TENANTS})

    def test_every_operation_has_its_own_rule(self) -> None:
        for rule, access in ACCESS.items():
            for is_own in (True, False):
                with self.subTest(rule, is_own=is_own):
                    then = access.own if is_own else access.other
                    self.assertIn(rule, (*access.before, *then))

    def test_below_servers_other_projects_need_a_rule_of_their_own(
        self,
    ) -> None:
        for route in routes.ROUTES:
            if "{server_id}" in Path(route.path).parts:
                with self.subTest(route.path):
                    other = ACCESS[route.rule].other
                    self.assertEqual((servers.ALL_TENANTS, route.rule), other)
