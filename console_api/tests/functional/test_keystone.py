# SPDX-License-Identifier: Apache-2.0
"""The keystone pipeline: who is asking is what the identity service says."""

import socket
import uuid

from console_api.tests.functional import base, identity

PUBLIC_URL = "https://keystone.example.org/identity"
REQUIRED = "The request you have made requires authentication."
ACCEPTS = (None, "", "*/*", "text/html", "text/plain", "application/json")


def options(url, **more):
    return {
        "api": {"auth_strategy": "keystone"},
        "keystone_authtoken": {
            "www_authenticate_uri": PUBLIC_URL,
            "auth_url": url,
            "auth_type": "password",
            "username": "nova",
            "password": identity.SERVICE_PASSWORD,
            "user_domain_id": "default",
            "project_name": "service",
            "project_domain_id": "default",
            "http_request_max_retries": "0",
        },
        **more,
    }


class KeystoneTestCase(base.FunctionalTestCase):
    def get(self, path, token, **headers):
        return self.client(None).get(
            path,
            headers={
                "X-Auth-Token": token,
                **{name.replace("_", "-"): headers[name] for name in headers},
            },
        )

    def assert_unauthorized(self, reply):
        self.assert_fault(reply, 401, REQUIRED)
        self.assertEqual(
            f'Keystone uri="{PUBLIC_URL}"', reply.headers["WWW-Authenticate"]
        )
        self.assert_version_headers(reply, None)


@base.on_each_database
class NoKeystoneTests(KeystoneTestCase):
    """An identity service that does not answer."""

    def choose_server(self):
        # Taken, but nobody listens: connections are refused.
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        return self.start_server(options(f"http://127.0.0.1:{port}"))

    def test_what_callers_are_told(self):
        path = f"/servers/{self.make_server()}/consoles"
        for accept in ACCEPTS:
            with self.subTest(accept):
                self.assert_unauthorized(self.get(path, None, Accept=accept))
                reply = self.get(path, "token-of-somebody", Accept=accept)
                self.assert_fault(
                    reply,
                    503,
                    "The identity service does not answer. Try again in a "
                    "few seconds.",
                )
        # What needs no identity works.
        for path in ("/", "/v2.1", "/v2", "/healthcheck"):
            reply = self.client(None).get(path, prefix="")
            self.assertEqual(200, reply.status)


@base.on_each_database
class KeystoneTests(KeystoneTestCase):
    def choose_server(self):
        self.identity = identity.IdentityService()
        self.addCleanup(self.identity.stop)
        return self.start_server(
            options(
                self.identity.url,
                DEFAULT={
                    "debug": "true",
                    "default_log_levels": "keystonemiddleware=DEBUG,"
                    "keystoneauth=DEBUG,urllib3=DEBUG",
                },
            )
        )

    def test_what_callers_may_do(self):
        """All in one test: each needs a server of its own."""
        server_id = self.make_server()
        self.make_console_host()
        consoles = f"/servers/{server_id}/consoles"
        issued = []

        def token(project, *roles, **kwargs):
            issued.append(
                self.identity.issue("user", project, *roles, **kwargs)
            )
            return issued[-1]

        stranger = uuid.uuid4().hex
        for message, asking, path, status in (
            ("member", token(self.project, "member"), consoles, 200),
            ("no role", token(self.project), consoles, 403),
            ("service", token("service", "service"), TOKENS, 404),
            ("admin", token(stranger, "admin"), TOKENS, 404),
            ("reader", token(self.project, "reader"), TOKENS, 403),
            ("unscoped", token(None), consoles, 403),
            ("unscoped", token(None), TOKENS, 403),
            ("own URL", token(self.project, "reader"), self.own_url(), 200),
            ("other URL", token(stranger, "admin"), self.own_url(), 400),
        ):
            with self.subTest(message, path=path):
                reply = self.get(path, asking)
                self.assertEqual(status, reply.status, reply.body)
        with self.subTest("create"):
            reply = self.client(None).post(
                consoles,
                headers={"X-Auth-Token": token(self.project, "member")},
            )
            self.assertEqual(200, reply.status)
        for message, asking in (
            ("unknown", "token-of-nobody"),
            ("expired", token(self.project, "admin", seconds=-60)),
            ("empty", ""),
            ("none", None),
            ("noauth2", f"admin:{self.project}"),
        ):
            for accept in ACCEPTS:
                with self.subTest(message, accept=accept):
                    self.assert_unauthorized(
                        self.get(consoles, asking, Accept=accept)
                    )
        with self.subTest("spoofed"):
            for name, value in (
                ("X_Roles", "admin"),
                ("X_Project_Id", self.project),
                ("X_Identity_Status", "Confirmed"),
                ("X_User_Id", "admin"),
            ):
                spoofed = {name: value}
                reply = self.get(TOKENS, token(stranger, "reader"), **spoofed)
                self.assert_fault(reply, 403)
                self.assert_unauthorized(self.get(TOKENS, None, **spoofed))
        with self.subTest("secrets"):
            self.assertTrue(" DEBUG keystone" in self.server.log)
            self.assert_not_logged(
                *issued, "token-of-nobody", identity.SERVICE_PASSWORD
            )

    def own_url(self):
        return f"/{self.project}/servers/{uuid.uuid4()}/consoles"


TOKENS = "/os-console-auth-tokens/unknown"
