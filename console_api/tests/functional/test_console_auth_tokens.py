# SPDX-License-Identifier: Apache-2.0
"""Console proxies look up console auth tokens."""

import hashlib
import time
import uuid

from console_api.db import tables
from console_api.tests.functional import base

TYPES = (
    ("vnc", "novnc"),
    ("vnc", "xvpvnc"),
    ("spice", "spice-html5"),
    ("spice", "spice-direct"),
    ("rdp", "rdp-html5"),
    ("serial", "serial"),
    ("mks", "webmks"),
)
NOT_ACCESSIBLE = "The requested console type details are not accessible"


@base.on_each_database
class ConsoleAuthTokenTests(base.FunctionalTestCase):
    def setUp(self):
        super().setUp()
        self.server_id = self.make_server()
        self.proxy = self.client("proxy", roles="service")

    def look_up(self, token, version="2.31", query=""):
        return self.proxy.get(
            f"/os-console-auth-tokens/{token}{query}", version=version
        )

    def change_tokens(self, **values):
        tokens = tables.console_auth_tokens
        self.database.execute(
            tokens.update().where(tokens.c.server_id == self.server_id),
            values,
        )

    def info(self, protocol):
        endpoint = base.ENDPOINTS[protocol]
        return {
            "instance_uuid": self.server_id,
            "host": "192.0.2.10",
            "port": endpoint["port"],
            "internal_access_path": endpoint.get("internal_access_path"),
        }

    def assert_found(self, reply, console):
        self.assertEqual(200, reply.status, reply.body)
        self.assertEqual({"console": console}, reply.json)

    def test_types_by_microversion(self):
        def check(protocol, console_type):
            token = self.issue_token(self.server_id, protocol, console_type)
            info = self.info(protocol)
            for version in (None, "2.1", "2.30"):
                reply = self.look_up(token, version)
                self.assert_version_headers(reply, version or "2.1")
                if console_type == "rdp-html5":
                    self.assert_found(reply, info)
                else:
                    self.assert_fault(reply, 401, NOT_ACCESSIBLE)
            for version in ("2.31", "2.98"):
                self.assert_found(self.look_up(token, version), info)
            if console_type == "spice-direct":
                info["tls_port"] = base.ENDPOINTS["spice"]["tls_port"]
            for version in ("2.99", "2.104"):
                reply = self.look_up(token, version)
                self.assert_found(reply, info)
                self.assert_version_headers(reply, version)

        self.each(TYPES, check)

    def test_tls_port_may_be_null(self):
        self.server_id = self.make_server(endpoints={"spice": {"port": 1}})
        token = self.issue_token(self.server_id, "spice", "spice-direct")
        console = self.look_up(token, "2.99").json["console"]
        self.assertIsNone(console["tls_port"])
        self.assertIsNone(console["internal_access_path"])

    def test_unknown_parameters_are_refused_from_2_99(self):
        token = self.issue_token(self.server_id)
        for query in ("?a=1", "?token=x", "?a", "?%ff=1", "?limit=1"):
            with self.subTest(query):
                reply = self.look_up(token, "2.98", query)
                self.assertEqual(200, reply.status)
                for version in ("2.99", "2.104"):
                    self.assert_fault(self.look_up(token, version, query), 400)
        self.assertEqual(200, self.look_up(token, "2.99", "?").status)

    def test_look_up_does_not_change_expiry(self):
        token = self.issue_token(self.server_id)
        tokens = tables.console_auth_tokens
        expires_at = tokens.select().where(
            tokens.c.server_id == self.server_id
        )
        before = self.database.rows(expires_at)
        for _ in range(3):
            self.assert_found(self.look_up(token), self.info("vnc"))
        self.assertEqual(before, self.database.rows(expires_at))

    def test_expired_token_returns_404(self):
        token = self.issue_token(self.server_id, "rdp", "rdp-html5")
        now = int(time.time())
        self.change_tokens(expires_at=now + 60)
        self.assertEqual(200, self.look_up(token).status)
        for expires_at in (now, now - 1, 0):
            self.change_tokens(expires_at=expires_at)
            for version in ("2.1", "2.31", "2.99"):
                reply = self.look_up(token, version)
                self.assert_fault(reply, 404, "Token not found")

    def test_expired_token_of_other_type_returns_404(self):
        token = self.issue_token(self.server_id)
        self.assert_fault(self.look_up(token, "2.1"), 401, NOT_ACCESSIBLE)
        self.change_tokens(expires_at=0)
        self.assert_fault(self.look_up(token, "2.1"), 404, "Token not found")

    def test_endpoint_is_that_at_time_of_issue(self):
        token = self.issue_token(self.server_id)
        endpoints = tables.server_endpoints
        self.database.execute(
            endpoints.update().where(endpoints.c.server_id == self.server_id),
            {"host": "192.0.2.99", "port": 1},
        )
        self.assert_found(self.look_up(token), self.info("vnc"))

    def test_token_must_match_exactly(self):
        token = self.issue_token(self.server_id)
        quoted = "".join(f"%{ord(character):02x}" for character in token)
        self.assert_found(self.look_up(quoted), self.info("vnc"))
        for wrong in (
            *(token.swapcase(), token[:-1], f"{token}=", f"{token}.json"),
            *(f"{token};x", f"{token}%0A", f"{token}%00", f"%20{token}"),
            *(
                f"{token}%20",
                f"{token},{token}",
                f"{token}%0D%0A",
                f"x{token}",
            ),
            *(f"{token}%3Fa", f"{token}%23", f"%00{token}", f"{token}%C2%A0"),
            quoted.replace("%", "%25"),
            hashlib.sha256(token.encode()).hexdigest(),
        ):
            with self.subTest(wrong):
                reply = self.look_up(wrong)
                self.assert_fault(reply, 404, "Token not found")

    def test_unusual_tokens_return_404(self):
        for token in (
            *("x", "a" * 10_000, "%00" * 3_000, "%ff%fe", "%F0%9F%92%A9"),
            *("%C3%28", "..", "%2E%2E", ".", "%0A", "%20", "%25", "%", "%zz"),
            *(".json", ";x", "*", "null", "'%20OR%20'1'='1", "%25s", "{0}"),
            *("%3Cscript%3E", "%u0041", "~", "$(id)", "%7B%7D", "%5C"),
        ):
            with self.subTest(token[:40]):
                reply = self.look_up(token)
                self.assert_fault(reply, 404, "Token not found")

    def test_paths_without_token_return_404(self):
        token = self.issue_token(self.server_id)
        for path in (
            *("", "/", f"/{token}/", f"/{token}/..", f"/x/../{token}"),
            *(f"/%2F{token}", f"/{token}%2F", f"/..%2F{token}", f"//{token}"),
        ):
            with self.subTest(path):
                reply = self.proxy.get(f"/os-console-auth-tokens{path}")
                self.assert_fault(reply, 404)

    def test_refused_caller_does_not_learn_whether_token_exists(self):
        token = self.issue_token(self.server_id, "rdp", "rdp-html5")
        message = (
            "Policy doesn't allow os_compute_api:os-console-auth-tokens to "
            "be performed."
        )
        for version in ("2.1", "2.31", "2.99"):
            replies = [
                self.member.get(
                    f"/os-console-auth-tokens/{asked}", version=version
                )
                for asked in (token, "unknown")
            ]
            for reply in replies:
                self.assert_fault(reply, 403, message)
            self.assertEqual(replies[0].body, replies[1].body)

    def revoke(self, token, client=None, **request):
        return (client or self.member).delete(
            f"/os-console-auth-tokens/{token}", **request
        )

    def test_revoked_token_is_not_found(self):
        kept = self.issue_token(self.server_id)
        for version in (None, "2.1", "2.99", "latest"):
            for prefix in ("/v2.1", f"/v2.1/{self.project}", "/v2"):
                with self.subTest(version, prefix=prefix):
                    token = self.issue_token(self.server_id)
                    request = {"version": version, "prefix": prefix}
                    reply = self.revoke(token, **request)
                    self.assertEqual((204, b""), (reply.status, reply.body))
                    self.assertIsNone(reply.headers["Content-Length"])
                    found = self.look_up(token)
                    self.assert_fault(found, 404, "Token not found")
                    reply = self.revoke(token, **request)
                    self.assert_fault(reply, 404, "Token not found")
                    self.assert_not_logged(token)
        self.assert_found(self.look_up(kept), self.info("vnc"))

    def test_refused_revocation_is_that_of_an_unknown_token(self):
        token = self.issue_token(self.server_id)
        unknown = self.revoke("unknown").body
        other = uuid.uuid4().hex
        for roles, project in (
            ("reader", self.project),
            ("service", self.project),
            ("member,manager,service", other),
        ):
            for revoked in (token, f"{token}x", "%00%ff"):
                with self.subTest(roles, token=revoked):
                    client = self.client("x", roles=roles, project=project)
                    reply = self.revoke(revoked, client)
                    self.assert_fault(reply, 404, "Token not found")
                    self.assertEqual(unknown, reply.body)
        self.assert_found(self.look_up(token), self.info("vnc"))

    def test_expired_token_cannot_be_revoked(self):
        token = self.issue_token(self.server_id)
        self.change_tokens(expires_at=int(time.time()))
        self.assert_fault(self.revoke(token), 404, "Token not found")

    def test_tokens_are_deleted_with_server(self):
        token = self.issue_token(self.server_id)
        tokens, servers = tables.console_auth_tokens, tables.servers
        endpoints = tables.server_endpoints
        for table, column in (
            (tokens, tokens.c.server_id),
            (endpoints, endpoints.c.server_id),
            (servers, servers.c.uuid),
        ):
            self.database.execute(
                table.delete().where(column == self.server_id)
            )
        self.assert_fault(self.look_up(token), 404, "Token not found")
