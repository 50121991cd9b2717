# SPDX-License-Identifier: Apache-2.0
"""The debug log: request IDs everywhere, secrets nowhere."""

import re

from console_api.tests.functional import base

# Including the libraries, which do not log at debug level by default.
DEBUG = {
    "DEFAULT": {
        "debug": "true",
        "default_log_levels": "sqlalchemy=DEBUG,oslo_db=DEBUG,"
        "oslo_policy=DEBUG,oslo_middleware=DEBUG,routes=DEBUG,"
        "urllib3=DEBUG,stevedore=DEBUG,cryptography=DEBUG",
    }
}

# A line of oslo.log, not one of a traceback.
LINE = re.compile(r"^\d{4}-\d\d-\d\d \S+ \d+ [A-Z]+ (?P<rest>\S+ .*)")


@base.on_each_database
class LoggingTests(base.FunctionalTestCase):
    options = DEBUG

    def setUp(self):
        super().setUp()
        self.logged_before = len(self.server.log)

    def log(self):
        """Return the log since the start of the test."""
        return self.server.log[self.logged_before :]

    def keys(self):
        folder = self.server.folder / "keys"
        return [path.read_text() for path in folder.glob("[0-9]*")]

    def test_every_line_has_request_id(self):
        server_id, console_id = self.make_console()
        console = f"/servers/{server_id}/consoles/{console_id}"
        proxy = self.client("proxy", roles="service")
        replies = [
            self.member.get(console),
            proxy.get(
                f"/os-console-auth-tokens/{self.issue_token(server_id)}"
            ),
            self.client(None).get(console),
            self.member.get("/nothing"),
            self.member.delete(console),
            self.client(None, prefix="").get("/"),
            self.client(None, prefix="").get("/healthcheck"),
        ]
        log = self.log()
        for reply in replies:
            self.assertTrue(reply.request_id in log, reply)
        self.assertTrue(" DEBUG " in log)
        lines = [line for line in map(LINE.match, log.splitlines()) if line]
        self.assertGreater(len(lines), len(replies))
        for line in lines:
            self.assertRegex(line["rest"], r"\breq-[0-9a-f-]{36}\b")

    def test_users_and_projects_are_logged(self):
        reply = self.member.get(f"/servers/{self.make_server()}/consoles")
        [line] = self.log_lines(reply, "request_log")
        self.assertIn(f"user {self.project}", line)

    def test_secrets_are_not_logged(self):
        server_id, console_id = self.make_console()
        console = f"/servers/{server_id}/consoles/{console_id}"
        shown = self.member.get(console).json["console"]
        token = self.issue_token(server_id)
        self.look_up(token)
        self.mistype(token)
        self.misplace(token, server_id)
        self.member.delete(console)
        self.assertEqual(2, len(self.keys()))
        self.assert_not_logged(
            token, token[:20], shown["password"], *self.keys()
        )

    def look_up(self, token):
        """Look up a token, with and without permission."""
        path = f"/os-console-auth-tokens/{token}"
        proxy = self.client("proxy", roles="service")
        self.assertEqual(200, proxy.get(path, version="2.31").status)
        for client in (proxy, self.member, self.client(None)):
            for prefix in ("/v2.1", f"/v2.1/{self.project}", "/v2"):
                client.get(path, prefix=prefix)

    def mistype(self, token):
        """Send look-ups with mistyped URLs."""
        proxy = self.client("proxy", roles="service")
        for path in (
            f"/os-console-auth-tokens/{token}/",
            f"/os-console-auth-tokens/{token}/more",
            f"/os-console-auth-tokens//{token}",
            f"/os-console-auth-token/{token}",
            f"/os_console_auth_tokens/{token}",
            f"/os-console-auth-tokens?token={token}",
            f"/os-console-auth-tokens/unknown?token={token}",
            f"/os-console-auth-tokens/{token}.json",
            f"/{'0' * 32}/os-console-auth-tokens/{token}",
            f"/PROJECT/os-console-auth-tokens/{token}",
            f"/{token}",
            f"/servers/{token}/consoles",
            f"/servers/{token}/consoles/{token}",
            f"/servers/{token}/remote-consoles",
            f"/servers/{token}/action",
            f"/{token}/servers/{token}/consoles/token={token}",
            f"/servers/{'0' * 32}/consoles/{token[:20]}",
        ):
            for method in ("GET", "POST", "DELETE", "HEAD"):
                for version in (None, "2.99", "nonsense", "2.999"):
                    proxy.request(method, path, version=version)
        for prefix in ("", "/v1", "/v2.2", "/healthcheck"):
            proxy.get(f"/os-console-auth-tokens/{token}", prefix=prefix)

    def misplace(self, token, server_id):
        """Send a token in the bodies of other requests."""
        for body in (
            {"remote_console": {"protocol": token, "type": token}},
            {"remote_console": token},
            {"os-getVNCConsole": {"type": token}},
            {token: token},
            token.encode(),
        ):
            for path in ("remote-consoles", "action", "consoles"):
                for version in ("2.1", "2.6"):
                    self.member.post(
                        f"/servers/{server_id}/{path}", body, version=version
                    )

    def test_secrets_are_not_in_faults(self):
        server_id = self.make_server()
        token = self.issue_token(server_id)
        for path in (
            f"/os-console-auth-tokens/{token}/",
            f"/os-console-auth-tokens/{token}x",
            f"/os-console-auth-tokens/{token}",
            f"/os-console-auth-tokens/{token}?a=1",
        ):
            for client in (self.member, self.client("p", roles="service")):
                for version in ("2.1", "2.99", "nonsense"):
                    reply = client.get(path, version=version)
                    if reply.status != 200:
                        self.assertNotIn(token, reply.message)
