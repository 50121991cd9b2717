# SPDX-License-Identifier: Apache-2.0
"""Routes: prefixes, projects, methods."""

import uuid

from console_api.tests.functional import base

JSON = "application/json"


@base.on_each_database
class RouteTests(base.FunctionalTestCase):
    def test_every_prefix_has_every_operation(self):
        server_id, console_id = self.make_console()
        rdp = self.issue_token(server_id, "rdp", "rdp-html5")
        for prefix in (
            *("/v2.1", f"/v2.1/{self.project}"),
            *("/v2", f"/v2/{self.project}"),
        ):
            client = self.client("admin", prefix=prefix)
            consoles = f"/servers/{server_id}/consoles"
            for method, path, body, status in (
                ("GET", consoles, None, 200),
                ("POST", consoles, None, 200),
                ("GET", f"{consoles}/{console_id}", None, 200),
                ("GET", f"/os-console-auth-tokens/{rdp}", None, 200),
                ("GET", "/os-consoles", None, 200),
                (
                    "POST",
                    f"/servers/{server_id}/action",
                    {"os-getSerialConsole": {"type": "serial"}},
                    200,
                ),
                ("DELETE", f"{consoles}/{console_id}", None, 202),
                ("POST", consoles, None, 200),
            ):
                with self.subTest(prefix=prefix, method=method, path=path):
                    reply = client.request(method, path, body=body)
                    self.assertEqual(status, reply.status, reply.body)
                    self.assertEqual(JSON, reply.headers["Content-Type"])
                    self.assert_version_headers(
                        reply, "2.1" if "2.1" in prefix else None
                    )
            [row] = self.console_rows(server_id)
            console_id = row.id

    def test_project_in_url_must_be_that_of_caller(self):
        path = f"/servers/{self.make_server()}/consoles"
        other = uuid.uuid4().hex
        for prefix in ("/v2.1", "/v2"):
            for user in ("user", "admin"):
                with self.subTest(prefix=prefix, user=user):
                    reply = self.client(user).get(
                        f"/{other}{path}", prefix=prefix
                    )
                    self.assert_fault(reply, 400)
                    self.assertIn(other, reply.message)

    def test_malformed_project_in_url_returns_404(self):
        path = f"/servers/{self.make_server()}/consoles"
        for project in ("PROJECT", "g", "a_b", "a%0A", "%20", "-%2F-", ".."):
            with self.subTest(project):
                reply = self.client("user", project=project).get(
                    f"/{project}{path}"
                )
                self.assert_fault(reply, 404)

    def test_unknown_path_returns_404(self):
        server_id, console_id = self.make_console()
        token = self.issue_token(server_id)
        for path in (
            "/servers",
            "/servers/detail",
            f"/servers/{server_id}",
            f"/servers/{server_id}/",
            f"/servers/{server_id}/consoles/",
            f"/servers/{server_id}/consoles/{console_id}/",
            f"/servers/{server_id}/consoles/{console_id}/more",
            f"/servers/{server_id}/Consoles",
            f"/servers/{server_id}/consoles%2F{console_id}%2F",
            f"/servers/{server_id}/consoles?/{console_id}".replace("?", "%3F"),
            "/os-console-auth-tokens",
            "/os-console-auth-tokens/",
            f"/os-console-auth-tokens/{token}/",
            f"/os-console-auth-tokens/{token}/more",
            f"/{self.project}",
            f"/{self.project}/{self.project}/servers/{server_id}/consoles",
            "/extensions",
            "/%00",
            "/%ff%fe",
            "/" + "a" * 10_000,
        ):
            for method in ("GET", "POST", "DELETE"):
                with self.subTest(method=method, path=path):
                    reply = self.admin.request(method, path)
                    self.assert_fault(reply, 404)
                    self.assertIn("serves consoles only", reply.message)
                    self.assert_version_headers(reply, None)

    def test_wrong_method_returns_405_and_allowed_methods(self):
        server = f"/servers/{self.make_server()}"
        for path, allowed in (
            (f"{server}/consoles", "GET, HEAD, POST"),
            (f"{server}/consoles/1", "DELETE, GET, HEAD"),
            ("/os-console-auth-tokens/x", "DELETE, GET, HEAD"),
            (f"{server}/remote-consoles", "DELETE, POST"),
            ("/os-console-hosts/vnc/x", "GET, HEAD, PUT"),
            (f"{server}/action", "POST"),
            ("/os-consoles", "GET, HEAD"),
        ):
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
                if method in allowed.split(", "):
                    continue
                for prefix in ("/v2.1", "/v2", f"/v2.1/{self.project}"):
                    with self.subTest(method=method, path=prefix + path):
                        reply = self.admin.request(method, path, prefix=prefix)
                        self.assert_fault(reply, 405)
                        self.assertEqual(allowed, reply.headers["Allow"])

    def test_head_is_get_without_body(self):
        server_id, console_id = self.make_console()
        token = self.issue_token(server_id)
        for path, status in (
            (f"/servers/{server_id}/consoles", 200),
            (f"/servers/{server_id}/consoles/{console_id}", 200),
            (f"/os-console-auth-tokens/{token}", 200),
            ("/os-console-auth-tokens/unknown", 404),
        ):
            with self.subTest(path):
                shown = self.admin.get(path, version="2.31")
                reply = self.admin.request("HEAD", path, version="2.31")
                self.assertEqual((status, b""), (reply.status, reply.body))
                for name in (
                    "Content-Type",
                    "Content-Length",
                    *base.VERSION_HEADERS,
                ):
                    self.assertEqual(shown.headers[name], reply.headers[name])
        for path in ("remote-consoles", "action"):
            reply = self.admin.request("HEAD", f"/servers/{server_id}/{path}")
            self.assertEqual(405, reply.status)
