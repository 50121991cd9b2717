# SPDX-License-Identifier: Apache-2.0
import unittest
from typing import Any

from console_api.api.middleware.noauth2 import NoAuth2Filter
from console_api.tests.unit import base


class NoAuth2Case(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.seen: dict[str, Any] = {}

    def call(
        self,
        token: str | None = "a-user:a-project",
        *,
        allow_remote: bool = False,
        headers: dict[str, str] | None = None,
        address: str = "127.0.0.1",
        **environ: str,
    ) -> base.Reply:
        def application(environ: Any, start_response: Any) -> list[bytes]:
            self.seen = environ
            start_response("204 No Content", [])
            return []

        self.seen = {}
        sent = dict(headers or {})
        if token is not None:
            sent["X-Auth-Token"] = token
        return base.call(
            NoAuth2Filter(application, allow_remote=allow_remote),
            headers=sent,
            environ={"REMOTE_ADDR": address, **environ},
        )


class IdentityTest(NoAuth2Case):
    def test_token_names_user_and_project(self) -> None:
        for token, user, project, roles in (
            ("a-user:a-project", "a-user", "a-project", "member,reader"),
            ("admin:a", "admin", "a", "admin,manager,member,reader"),
            ("Admin:a", "Admin", "a", "member,reader"),
            ("a:b:c", "a", "b:c", "member,reader"),
            ("u" * 255 + ":" + "p" * 255, "u" * 255, "p" * 255, None),
        ):
            with self.subTest(token[:50]):
                self.assertEqual(204, self.call(token).status)
                self.assertEqual(user, self.seen["HTTP_X_USER_ID"])
                self.assertEqual(project, self.seen["HTTP_X_PROJECT_ID"])
                self.assertEqual(
                    "Confirmed", self.seen["HTTP_X_IDENTITY_STATUS"]
                )
                if roles:
                    self.assertEqual(roles, self.seen["HTTP_X_ROLES"])

    def test_roles_header_overrides_roles(self) -> None:
        for user in ("a-user", "admin"):
            for roles in ("service", "reader, auditor", ""):
                with self.subTest(user=user, roles=roles):
                    self.call(f"{user}:a", headers={"X-Roles": roles})
                    self.assertEqual(roles, self.seen["HTTP_X_ROLES"])

    def test_malformed_token_is_refused(self) -> None:
        for token in (
            None,
            "",
            "a-user",
            ":",
            "a-user:",
            ":a-project",
            "u" * 256 + ":a",
            "a:" + "p" * 256,
        ):
            with self.subTest(token and token[:50]):
                reply = self.call(token)
                self.assertEqual(("unauthorized", 401), reply.fault[:2])
                self.assertIn("USER:PROJECT", reply.fault[2])
                self.assertEqual({}, self.seen)

    def test_other_identity_headers_are_removed(self) -> None:
        claimed = {
            "X-User-Id": "boss",
            "X-User-Domain-Id": "default",
            "X-Project-Id": "other",
            "X-Project-Name": "other",
            "X-Tenant-Id": "other",
            "X-Domain-Id": "other",
            "X-Service-User-Id": "nova",
            "X-Service-Roles": "service",
            "X-Service-Identity-Status": "Confirmed",
            "X-Identity-Status": "Invalid",
            "X-Is-Admin-Project": "true",
            "X-Role": "admin",
            "OpenStack-System-Scope": "all",
        }
        self.call(headers=claimed)
        kept = {
            name: value
            for name, value in self.seen.items()
            if name.startswith(("HTTP_X_", "HTTP_OPENSTACK"))
            and name != "HTTP_X_AUTH_TOKEN"
        }
        self.assertEqual(
            {
                "HTTP_X_USER_ID": "a-user",
                "HTTP_X_PROJECT_ID": "a-project",
                "HTTP_X_ROLES": "member,reader",
                "HTTP_X_IDENTITY_STATUS": "Confirmed",
            },
            kept,
        )


class AddressTest(NoAuth2Case):
    def assertServed(self, served: bool, **request: Any) -> None:
        with self.subTest(served=served, **request):
            reply = self.call(**request)
            if served:
                self.assertEqual(204, reply.status)
            else:
                self.assertEqual(("forbidden", 403), reply.fault[:2])
                self.assertIn("allow_remote", reply.fault[2])
                self.assertEqual({}, self.seen)

    def test_only_loopback_addresses_are_served(self) -> None:
        for address, served in (
            ("127.0.0.1", True),
            ("127.8.9.10", True),
            ("::1", True),
            # A Unix socket.
            ("", False),
            ("192.0.2.1", False),
            ("0.0.0.0", False),
            ("::", False),
            ("2001:db8::1", False),
            ("localhost", False),
            ("127.0.0.1, 192.0.2.1", False),
        ):
            self.assertServed(served, address=address)

    def test_forwarded_requests_are_refused(self) -> None:
        for header in (
            "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Proto",
            "X-Real-IP",
            "Via",
        ):
            for value in ("192.0.2.1", "127.0.0.1", ""):
                self.assertServed(False, headers={header: value})
        self.assertServed(False, SERVER_PROTOCOL="HTTP/1.0")

    def test_only_loopback_host_headers_are_served(self) -> None:
        for host, served in (
            ("localhost", True),
            ("LocalHost:80", True),
            ("127.0.0.1", True),
            ("127.8.9.10:80", True),
            ("[::1]", True),
            ("[::1]:80", True),
            ("127.0.0.1:", True),
            # The port of a proxy.
            ("localhost:443", False),
            ("127.0.0.1:9890", False),
            ("", False),
            ("example.org", False),
            ("example.org:80", False),
            ("localhost.example.org", False),
            ("127.0.0.1.example.org", False),
            ("example.org@127.0.0.1", False),
            ("127.0.0.1,example.org", False),
            ("192.0.2.1", False),
            ("0.0.0.0", False),
            ("[2001:db8::1]:80", False),
            ("[", False),
            (":80", False),
        ):
            self.assertServed(served, headers={"Host": host})

    def test_host_header_must_name_port_of_service(self) -> None:
        for host, port, scheme, served in (
            ("localhost:9890", "9890", "http", True),
            ("localhost:9890", "9890", "https", True),
            ("localhost", "9890", "http", False),
            ("localhost", "443", "https", True),
            ("localhost", "443", "http", False),
            ("localhost:9890", "80", "http", False),
        ):
            self.assertServed(
                served,
                headers={"Host": host},
                SERVER_PORT=port,
                **{"wsgi.url_scheme": scheme},
            )

    def test_allow_remote_serves_all_callers(self) -> None:
        self.assertServed(True, address="192.0.2.1", allow_remote=True)
        self.assertServed(
            True,
            headers={"X-Forwarded-For": "a", "Host": "example.org"},
            allow_remote=True,
        )

    def test_allow_remote_requires_identity(self) -> None:
        reply = self.call(None, allow_remote=True)
        self.assertEqual(401, reply.status)
