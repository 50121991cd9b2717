# SPDX-License-Identifier: Apache-2.0
"""Each persona against each operation, on its own project and another."""

import uuid

from console_api.tests.functional import base
from console_api.tests.functional.personas import (
    EXPECTED,
    OPERATIONS,
    PERSONAS,
    PersonaTestCase,
)


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
                self.renew_console()

    def test_expectations_cover_every_operation(self):
        self.assertEqual(set(OPERATIONS), set(EXPECTED))

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
            for operation in (
                name
                for name, route in OPERATIONS.items()
                if "{server_id}" in route.path
            ):
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
