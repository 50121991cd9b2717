# SPDX-License-Identifier: Apache-2.0
"""Each persona against each operation, on its own project and another."""

import json
import uuid

from console_api.policies import console_hosts, consoles, servers
from console_api.tests.functional import base
from console_api.tests.functional.personas import (
    EXPECTED,
    OPERATIONS,
    PERSONAS,
    PersonaTestCase,
)

# Rules that policy files written for Nova contain: Nova confined them to the
# caller's project.
LAX = ("", "@", "role:console_user", "not role:nobody")

BELOW_SERVERS = [
    name for name, route in OPERATIONS.items() if "{server_id}" in route.path
]


@base.on_each_database
class PersonaTests(PersonaTestCase):
    def setUp(self):
        super().setUp()
        self.make_resources()

    def persona(self, roles, project=None):
        return self.client(
            "carol", roles=roles, project=project or self.project
        )

    def check(self, operation, project, statuses):
        for roles, status in zip(PERSONAS, statuses, strict=True):
            with self.subTest(operation, roles=roles or "none"):
                before = self.state()
                reply = self.perform(self.persona(roles, project), operation)
                self.assertEqual(status, reply.status, reply.body)
                if status == 403:
                    self.check_refusal(operation, reply)
                if status >= 400:
                    self.assertEqual(before, self.state())
                self.renew()

    def test_expectations_cover_every_operation(self):
        self.assertEqual(set(OPERATIONS), set(EXPECTED))
        for name, (statuses, _) in EXPECTED.items():
            self.assertEqual(OPERATIONS[name].success, statuses[0], name)

    def test_without_identity(self):
        for operation in OPERATIONS:
            with self.subTest(operation):
                reply = self.perform(self.client(None), operation)
                self.assert_fault(reply, 401)

    def test_own_project(self):
        for operation, (statuses, _) in EXPECTED.items():
            self.check(operation, self.project, statuses)

    def test_other_project(self):
        for operation, (_, statuses) in EXPECTED.items():
            self.check(operation, uuid.uuid4().hex, statuses)

    def test_only_admin_lists_consoles_of_other_project(self):
        for roles in PERSONAS:
            with self.subTest(roles):
                client = self.persona(roles, uuid.uuid4().hex)
                found = self.perform(client, "consoles.index").json["consoles"]
                self.assertEqual(1 if roles == "admin" else 0, len(found))

    def test_server_of_other_project_looks_like_unknown_server(self):
        unknown = str(uuid.uuid4())
        for roles in PERSONAS[1:]:
            client = self.persona(roles, uuid.uuid4().hex)
            for operation in BELOW_SERVERS:
                with self.subTest(operation, roles=roles):
                    reply = self.perform(client, operation)
                    other = self.perform(client, operation, unknown)
                    self.assertEqual(other.status, reply.status)
                    self.assertEqual(
                        other.body.replace(
                            unknown.encode(), self.server_id.encode()
                        ),
                        reply.body,
                    )

    def test_state_of_server_of_other_project_is_hidden(self):
        server_id = self.make_server(compute_host=None, endpoints={})
        client = self.persona("member", uuid.uuid4().hex)
        for operation in (
            "remote_consoles.create",
            "remote_consoles.action",
            "consoles.create",
        ):
            with self.subTest(operation):
                reply = self.perform(client, operation, server_id)
                message = f"Server {server_id} could not be found."
                self.assert_fault(reply, 404, message)

    def test_caller_with_one_sufficient_role_is_allowed(self):
        for roles in ("unknown,reader", "reader, service", "READER"):
            with self.subTest(roles):
                reply = self.perform(self.persona(roles), "consoles.index")
                self.assertEqual(200, reply.status)


@base.on_databases("sqlite")
class LaxRuleTests(PersonaTestCase):
    # An option that keeps other tests from sharing the server.
    options = {"oslo_policy": {"policy_dirs": "lax.d"}}

    def setUp(self):
        super().setUp()
        self.make_resources()
        # Creates the console again, whatever the rule.
        self.admin = self.client("admin", roles="admin,console_user")
        self.policy = self.server.folder / "policy.yaml"
        self.addCleanup(self.policy.unlink, missing_ok=True)

    def write(self, rules):
        """Write the policy file, and wait until it takes effect."""
        canary = f"canary-{uuid.uuid4().hex}"
        rules = {console_hosts.INDEX: f"role:{canary}", **rules}
        self.policy.write_text(json.dumps(rules))
        client = self.client("carol", roles=canary)
        self.eventually(
            lambda: self.perform(client, "console_hosts.index").status == 200
        )

    def reaches(self, operation, roles, project):
        """Return whether an operation reaches the server of the test."""
        reply = self.perform(
            self.client("carol", roles=roles, project=project), operation
        )
        self.assertLess(reply.status, 500, reply.body)
        if operation == "consoles.index":
            return bool(reply.json["consoles"])
        if reply.status < 300:
            self.renew()
            return True
        self.assertEqual(404, reply.status)
        return False

    def test_lax_rule_does_not_open_other_projects(self):
        for rule in LAX:
            self.write({OPERATIONS[name].rule: rule for name in BELOW_SERVERS})
            for operation in BELOW_SERVERS:
                for persona in PERSONAS:
                    roles = f"{persona},console_user"
                    is_admin = persona == "admin"
                    with self.subTest(rule, operation=operation, roles=roles):
                        self.assertTrue(
                            self.reaches(operation, roles, self.project)
                        )
                        self.assertEqual(
                            is_admin,
                            self.reaches(operation, roles, uuid.uuid4().hex),
                        )

    def test_all_tenants_alone_does_not_allow_operations(self):
        self.write({servers.ALL_TENANTS: "@"})
        for operation in BELOW_SERVERS:
            for roles in PERSONAS[1:]:
                with self.subTest(operation, roles=roles):
                    self.assertFalse(
                        self.reaches(operation, roles, uuid.uuid4().hex)
                    )

    def test_both_rules_open_other_projects(self):
        self.write(
            {
                servers.ALL_TENANTS: "role:support",
                consoles.INDEX: "role:support or role:reader",
            }
        )
        for operation, roles, expected in (
            ("consoles.index", "support", True),
            ("consoles.index", "reader", False),
            ("consoles.show", "support", False),
            ("consoles.show", "support,member", False),
            ("remote_consoles.create", "support", False),
        ):
            with self.subTest(operation, roles=roles):
                self.assertEqual(
                    expected, self.reaches(operation, roles, uuid.uuid4().hex)
                )
