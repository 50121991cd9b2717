# SPDX-License-Identifier: Apache-2.0
"""The pipeline with authentication, against a fake identity service."""

import socket
import uuid

from console_api.tests.functional import base, identity
from console_api.tests.functional.identity import (
    PUBLIC_URL,
    Answer,
    options,
)

UNAVAILABLE = (
    "The identity service is unavailable. Retry the request in a few seconds."
)
REQUIRED = "The request you have made requires authentication."
# Everything that the libraries log about tokens.
DEBUG = {
    "debug": "true",
    "default_log_levels": "keystonemiddleware=DEBUG,keystoneauth=DEBUG,"
    "urllib3=DEBUG",
}
ACCEPTS = (None, "", "*/*", "text/html", "text/plain", "application/json")


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


class NoKeystoneTests(KeystoneTestCase):
    """An identity service that refuses connections."""

    backend = "sqlite"

    def choose_server(self):
        # Bound but not listening: connections are refused.
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        return self.start_server(options(f"http://127.0.0.1:{port}"))

    def test_unreachable_keystone_returns_503(self):
        path = f"/servers/{self.make_server()}/consoles"
        for accept in ACCEPTS:
            with self.subTest(accept):
                self.assert_unauthorized(self.get(path, None, Accept=accept))
                reply = self.get(path, "unknown-token", Accept=accept)
                self.assert_fault(reply, 503, UNAVAILABLE)
                self.assertEqual("5", reply.headers["Retry-After"])
        # Public documents are available.
        for path in ("/", "/v2.1", "/v2", "/healthcheck"):
            reply = self.client(None).get(path, prefix="")
            self.assertEqual(200, reply.status)


JSON = {"Content-Type": "application/json"}

# Invalid responses of Keystone.
INVALID_ANSWERS = {
    "broken": Answer(500, b"rubbish"),
    "too busy": Answer(429, b'{"error": {"message": "rubbish"}}', JSON),
    "a page": Answer(
        200, b"<html>rubbish</html>", {"Content-Type": "text/html"}
    ),
    "half a document": Answer(200, b'{"token": {"rubbish', JSON),
    "not text": Answer(200, b"\xff\xferubbish", JSON),
    "nothing": Answer(200, b"", JSON),
    "a list": Answer(200, b'["rubbish"]', JSON),
    "null": Answer(200, b"null", JSON),
    "another document": Answer(200, b'{"rubbish": 1}', JSON),
    "no token": Answer(200, b'{"token": null}', JSON),
    "a token without user": Answer(
        200,
        b'{"token": {"methods": ["password"], "user": "rubbish",'
        b' "expires_at": "2126-01-01T00:00:00Z"}}',
        JSON,
    ),
    "a redirection loop": Answer(302, headers={"Location": "/v3/auth/tokens"}),
}


class RefusingKeystoneTestCase(KeystoneTestCase):
    """An identity service that does not validate tokens."""

    backend = "sqlite"

    def choose_server(self):
        self.identity = identity.IdentityService()
        self.addCleanup(self.identity.stop)
        return self.start_with(http_connect_timeout="1")

    def start_with(self, **changed):
        """Start a server with options of ``[keystone_authtoken]``."""
        settings = options(self.identity.url, DEFAULT=DEBUG)
        settings["keystone_authtoken"].update(changed)
        return self.start_server(settings)

    def setUp(self):
        super().setUp()
        self.path = f"/servers/{self.make_server()}/consoles"
        self.issued = []

    def ask(self):
        """Send a request with a new token."""
        self.issued.append(self.identity.issue("user", self.project, "member"))
        return self.get(self.path, self.issued[-1])

    def check_refusal(self, advice):
        reply = self.ask()
        self.assert_fault(reply, 503, UNAVAILABLE)
        self.assertEqual("5", reply.headers["Retry-After"])
        lines = self.log_lines(reply, " ERROR ")
        self.assertTrue(any(advice in line for line in lines), lines)


class MissingEndpointTests(RefusingKeystoneTestCase):
    def test_interface_must_be_in_catalog(self):
        self.identity.interfaces = ("public", "admin")
        self.check_refusal("Set interface, by default internal,")
        self.server = self.start_with(interface="public")
        self.assertEqual(200, self.ask().status)
        self.server = self.start_with(interface="public", region_name="two")
        self.check_refusal("region_name")


class BadKeystoneTests(RefusingKeystoneTestCase):
    """An identity service with invalid responses."""

    def check_all(self):
        """Check all invalid responses and a timeout."""
        for what, answer in INVALID_ANSWERS.items():
            with self.subTest(what):
                self.identity.instead = answer
                self.check_refusal("Check that Keystone is running")
        self.identity.instead = None
        with self.subTest("silence"):
            self.identity.answers.clear()
            self.check_refusal("timed out")
            self.identity.answers.set()

    def test_invalid_responses_of_keystone_return_503(self):
        self.check_all()
        with self.subTest("refuses the service user"):
            self.identity.password = "another-password"
            self.check_refusal("Correct username, password, project")
            self.identity.password = identity.SERVICE_PASSWORD
        self.assertEqual(200, self.ask().status)
        # From here on, the service has a session with Keystone.
        self.check_all()
        for status, advice in (
            (401, "Correct username, password, project"),
            (403, "Assign it the role service"),
        ):
            with self.subTest(status):
                self.identity.instead = Answer(status, b"{}", JSON)
                self.check_refusal(advice)
        with self.subTest("does not know the token"):
            self.identity.instead = Answer(404, b"<html>rubbish</html>")
            self.assert_unauthorized(self.ask())
        self.identity.instead = None
        self.assertEqual(200, self.ask().status)
        self.assert_not_logged(*self.issued, identity.SERVICE_PASSWORD)


@base.on_each_database
class KeystoneTests(KeystoneTestCase):
    def choose_server(self):
        self.identity = identity.IdentityService()
        self.addCleanup(self.identity.stop)
        return self.start_server(options(self.identity.url, DEFAULT=DEBUG))

    def test_roles_of_keystone_decide(self):
        """All in one test, because it needs its own server."""
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
            ("unknown", "unknown-token"),
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
                *issued, "unknown-token", identity.SERVICE_PASSWORD
            )

    def own_url(self):
        return f"/{self.project}/servers/{uuid.uuid4()}/consoles"


TOKENS = "/os-console-auth-tokens/unknown"
