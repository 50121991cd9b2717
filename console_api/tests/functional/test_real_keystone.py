# SPDX-License-Identifier: Apache-2.0
"""The pipeline with authentication, against a real Keystone."""

import uuid
from typing import ClassVar

from console_api.tests.functional import keystone, servers
from console_api.tests.functional.client import Client
from console_api.tests.functional.configuration import Options
from console_api.tests.functional.personas import (
    EXPECTED,
    OPERATIONS,
    PERSONAS,
    PersonaTestCase,
)
from console_api.tests.functional.servers import Server

LOOK_UP = "/os-console-auth-tokens/none"


class RealKeystoneTestCase(PersonaTestCase):
    """Tests with a server in a project of Keystone, and its console."""

    backend = "sqlite"

    def choose_server(self) -> Server:
        self.keystone = keystone.shared()
        return servers.shared(
            self.backend, {**self.keystone.options, **self.options}
        )

    def setUp(self) -> None:
        super().setUp()
        self.project = self.keystone.make_project()
        self.admin = self.with_token(self.keystone.admin_token)
        self.make_resources()
        self.path = f"/servers/{self.server_id}/consoles"

    def with_token(self, token: str | None, **headers: str) -> Client:
        sent = {k.replace("_", "-"): value for k, value in headers.items()}
        if token is not None:
            sent["X-Auth-Token"] = token
        return self.server.client(headers=sent)

    def user(self, role: str | None, project: str | None = None) -> Client:
        return self.with_token(
            self.keystone.make_token(project or self.project, role)
        )


class RealKeystoneTests(RealKeystoneTestCase):
    """Identity comes from Keystone only."""

    # Log the names of callers too.
    options: ClassVar[Options] = {
        "DEFAULT": {
            "debug": "true",
            "default_log_levels": "keystonemiddleware=DEBUG",
            "logging_user_identity_format": "%(user_name)s %(user)s",
        }
    }

    def test_project_in_url_must_be_that_of_caller(self):
        member = self.user("member")
        path = f"/{self.project}{self.path}"
        self.assertEqual(200, member.get(path).status)
        stranger = self.user("manager", self.keystone.make_project())
        self.assertEqual(400, stranger.get(path).status)

    def test_roles_header_of_client_is_ignored(self):
        token = self.keystone.make_token(self.project, "reader")
        claims = self.with_token(token, X_Roles="admin", X_Service_Roles="a")
        self.assertEqual(403, claims.post(self.path).status)

    def test_invalid_token_returns_401(self):
        for token in (None, "nonsense", "admin:demo"):
            with self.subTest(token=token):
                claims = self.with_token(
                    token,
                    X_User_Id="admin",
                    X_Project_Id=self.project,
                    X_Roles="admin",
                    X_Identity_Status="Confirmed",
                )
                reply = claims.get(self.path)
                self.assertEqual(401, reply.status)
                self.assertIn("authentication", reply.message)
                self.assertIn(
                    self.keystone.url, reply.headers["WWW-Authenticate"]
                )

    def test_non_ascii_user_name_is_logged(self):
        name = f"Zoë 李 {uuid.uuid4().hex}"
        user = self.keystone.make_user(self.project, "member", name)
        scope = {"project": {"id": self.project}}
        token = self.keystone.token(*user, scope)
        reply = self.with_token(token).post(self.path)
        self.assertEqual(200, reply.status)
        self.assertTrue(self.log_lines(reply, f"{name} "))

    def test_personas(self):
        other = self.keystone.make_project()
        service = self.keystone.make_token(other, "service")
        for persona, client, is_own in (
            ("admin", self.admin, False),
            ("manager", self.user("manager"), True),
            ("member", self.user("member"), True),
            ("reader", self.user("reader"), True),
            ("service", self.with_token(service), False),
            ("service", self.user("service"), True),
            ("member", self.user("member", other), False),
        ):
            for operation, expected in EXPECTED.items():
                with self.subTest(persona, operation=operation, own=is_own):
                    statuses = expected[0 if is_own else 1]
                    before = self.state()
                    reply = self.perform(client, operation)
                    self.assertEqual(
                        statuses[PERSONAS.index(persona)], reply.status
                    )
                    if reply.status == 403:
                        self.check_refusal(operation, reply)
                    if reply.status >= 400:
                        self.assertEqual(before, self.state())
                    elif operation == "consoles.index":
                        is_visible = is_own or persona == "admin"
                        self.assertEqual(
                            is_visible, bool(reply.json["consoles"])
                        )
                    self.renew()

    def test_token_without_project_scope_returns_403(self):
        for scope, token in self.tokens_of_other_scopes():
            client = self.with_token(token)
            for operation in OPERATIONS:
                with self.subTest(scope, operation=operation):
                    before = self.state()
                    reply = self.perform(client, operation)
                    self.assert_fault(reply, 403)
                    self.assertIn(f"but {scope} token was", reply.message)
                    self.assertEqual(before, self.state())
                    words = f"Refused {scope} token."
                    self.assertTrue(self.log_lines(reply, words))
            unknown = self.perform(
                client, "consoles.create", str(uuid.uuid4())
            )
            self.assertEqual(reply.message, unknown.message)

    def tokens_of_other_scopes(self):
        user = self.keystone.make_user(self.project, "admin")
        return (
            ("a system-scoped", self.keystone.make_system_token("admin")),
            ("a domain-scoped", self.keystone.make_domain_token("admin")),
            ("an unscoped", self.keystone.token(*user, keystone.UNSCOPED)),
        )

    def test_service_token_allows_expired_token(self):
        token = self.keystone.brief_token(self.project, "member")
        alone = self.with_token(token)
        self.eventually(lambda: alone.post(self.path).status == 401)
        service = self.keystone.make_token(self.project, "service")
        with_service = self.with_token(token, X_Service_Token=service)
        self.assertEqual(200, with_service.post(self.path).status)
        for refused in (
            # The cached validation does not apply without a service token.
            alone,
            self.with_token(
                token,
                X_Service_Token=self.keystone.make_token(
                    self.project, "admin"
                ),
            ),
            self.with_token(token, X_Service_Token="nonsense"),
            self.with_token("nonsense", X_Service_Token=service),
            self.with_token(None, X_Service_Token=service),
        ):
            reply = refused.post(self.path)
            self.assert_fault(reply, 401)
            self.assertTrue(self.log_lines(reply, "status: 401"))
        self.assert_not_logged(token, service)

    def test_service_token_does_not_change_permissions(self):
        reader = self.keystone.make_token(self.project, "reader")
        member = self.keystone.make_token(self.project, "member")
        for service in (
            self.keystone.make_token(self.keystone.make_project(), "service"),
            self.keystone.make_system_token("service"),
        ):
            asking = self.with_token(reader, X_Service_Token=service)
            self.assertEqual(200, asking.get(self.path).status)
            self.assertEqual(403, asking.post(self.path).status)
            self.assertEqual(403, asking.get(LOOK_UP).status)
            # It does not reduce permissions either.
            asking = self.with_token(member, X_Service_Token=service)
            self.assertEqual(200, asking.post(self.path).status)

    def test_service_token_without_role_service_returns_401(self):
        member = self.keystone.make_token(self.project, "member")
        for role in ("admin", "member"):
            token = self.keystone.make_token(self.project, role)
            asking = self.with_token(member, X_Service_Token=token)
            self.assert_fault(asking.post(self.path), 401)

    def test_access_rules_of_application_credential_apply(self):
        self.keystone.add_service(keystone.SERVICE_TYPE, self.server.url)
        token = self.keystone.make_token(self.project, "member")
        rule = {
            "service": keystone.SERVICE_TYPE,
            "method": "GET",
            "path": "/v2.1/servers/*/consoles",
        }
        listing, elsewhere = (
            self.with_token(
                self.keystone.restricted_token(token, access_rules=[allowed])
            )
            for allowed in (rule, rule | {"service": "identity"})
        )
        self.assertEqual(200, listing.get(self.path).status)
        console = self.admin.get(self.path).json["consoles"][0]["console"]
        self.assert_fault(listing.get(f"{self.path}/{console['id']}"), 401)
        self.assert_fault(listing.post(self.path), 401)
        self.assert_fault(elsewhere.get(self.path), 401)
