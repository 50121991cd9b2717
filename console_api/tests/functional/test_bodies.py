# SPDX-License-Identifier: Apache-2.0
"""Request bodies and their content types."""

from console_api.tests.functional import base

MAX_BODY = 114_688
JSON = "application/json"


@base.on_each_database
class BodyTests(base.FunctionalTestCase):
    """Bodies of an operation that accepts any, and of one with a schema."""

    def setUp(self):
        super().setUp()
        self.server_id = self.make_server()
        self.make_console_host()
        self.consoles = f"/servers/{self.server_id}/consoles"
        self.remote = f"/servers/{self.server_id}/remote-consoles"
        self.body = b'{"remote_console": {"protocol": "vnc", "type": "novnc"}}'

    def send(self, body, path=None, **headers):
        return self.member.post(
            path or self.remote,
            body,
            version="2.6",
            headers={
                name.replace("_", "-"): headers[name] for name in headers
            },
        )

    def test_content_type_must_be_json(self):
        for content_type, status in (
            ("application/json", 200),
            ("Application/JSON; charset=utf-8", 200),
            ("application/vnd.openstack.compute+json", 200),
            ("text/plain", 200),
            ("", 200),
            (None, 200),
            ("text/xml", 415),
            ("application/xml", 415),
            ("application/x-www-form-urlencoded", 415),
            ("multipart/form-data; boundary=x", 415),
            ("application/json-patch+json", 415),
            ("nonsense", 415),
        ):
            for path in (self.remote, self.consoles):
                with self.subTest(content_type, path=path):
                    reply = self.send(
                        self.body, path, Content_Type=content_type
                    )
                    self.assertEqual(status, reply.status, reply.body)
                    if status == 415:
                        self.assert_fault(reply, 415)
                        self.assert_version_headers(reply, "2.6")

    def test_content_type_without_body_is_ignored(self):
        headers = {"Content-Type": "text/xml"}
        reply = self.member.get(self.consoles, headers=headers)
        self.assertEqual(200, reply.status)
        reply = self.member.post(self.consoles, b"", headers=headers)
        self.assertEqual(200, reply.status)

    def test_accept_header_is_ignored(self):
        for accept in (
            *("*/*", "", "text/html", "application/xml;q=0.9", "image/png"),
            *("nonsense", "application/json;q=0", ";;;", "*/*;version=9"),
        ):
            with self.subTest(accept):
                headers = {"Accept": accept}
                reply = self.member.get(self.consoles, headers=headers)
                self.assertEqual(200, reply.status)
                self.assertEqual(JSON, reply.headers["Content-Type"])
                for client, path, status in (
                    (self.member, "/nothing", 404),
                    (self.member, "/os-console-auth-tokens/x", 403),
                    (self.client(None), self.consoles, 401),
                ):
                    self.assert_fault(
                        client.get(path, headers=headers), status
                    )

    def test_malformed_json_returns_400(self):
        for body in (
            b"{",
            b"nonsense",
            b"\xef\xbb\xbf{}",
            b"\xff\xfe{\x00}\x00",
            b'{"remote_console": "\xff"}',
            b"\x00",
            b"[" * 100_000,
            b'{"a":' * 20_000,
            b"[" * 50_000 + b"]" * 50_000,
            b"9" * 100_000,
            b'{"a": 1,}',
            b"{} {}",
        ):
            for path in (self.remote, self.consoles):
                with self.subTest(body=body[:20], path=path):
                    reply = self.send(body, path)
                    self.assert_fault(reply, 400, "Malformed request body")
        self.assertEqual(0, self.count_tokens(self.server_id))
        self.assertEqual([], self.console_rows(self.server_id))

    def test_body_over_limit_returns_413(self):
        body = self.body.ljust(MAX_BODY)
        for sent in (body, iter([body[:9], body[9:]])):
            self.assertEqual(200, self.send(sent).status)
        for sent in (body + b" ", iter([body, b" "])):
            reply = self.send(sent)
            self.assert_fault(reply, 413, "Request is too large.")
        self.assertEqual(2, self.count_tokens(self.server_id))

    def test_incomplete_body_returns_400(self):
        head = (
            f"POST /v2.1{self.consoles} HTTP/1.1\r\n"
            f"Host: localhost:{self.server.port}\r\n"
            f"X-Auth-Token: user:{self.project}\r\n"
        ).encode()
        for rest in (
            b"Content-Length: 100\r\n\r\n{",
            b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
            b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n{",
        ):
            with self.subTest(rest):
                reply = self.member.raw(head + rest, close=True)
                self.assert_fault(reply, 400)
        self.assertEqual([], self.console_rows(self.server_id))

    def test_body_of_get_head_and_delete_is_ignored(self):
        for method, path, status in (
            ("GET", self.consoles, 200),
            ("HEAD", self.consoles, 200),
            ("DELETE", f"{self.consoles}/1", 404),
        ):
            for body in (b"{", b"\xff", {"any": 1}, iter([b"{", b"}"])):
                for content_type in ("application/json", "text/xml", None):
                    with self.subTest(method, body=body, type=content_type):
                        reply = self.member.request(
                            method,
                            path,
                            body=body,
                            headers={"Content-Type": content_type},
                        )
                        self.assertEqual(status, reply.status, reply.body)
        reply = self.member.request(
            "GET", self.consoles, body=b" " * (MAX_BODY + 1)
        )
        self.assert_fault(reply, 413)
