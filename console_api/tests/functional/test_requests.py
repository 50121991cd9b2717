# SPDX-License-Identifier: Apache-2.0
"""What is the same for each request, whatever it asks for."""

import uuid

from console_api.tests.functional import base

MAX_BODY = 114_688
JSON = "application/json"
UNKNOWN = str(uuid.uuid4())


@base.on_each_database
class OrderTests(base.FunctionalTestCase):
    def test_each_check_precedes_all_later_ones(self):
        """A request with all faults; the one that is answered is repaired."""
        request = {
            "token": None,
            "method": "PUT",
            "project": "/" + uuid.uuid4().hex,
            "path": f"/servers/{UNKNOWN}/nothing",
            "version": "two",
            "type": "text/xml",
            "body": b"x" * (MAX_BODY + 1),
        }
        wrong_schema = b'{"remote_console": {}}'
        right = b'{"remote_console": {"protocol": "vnc", "type": "novnc"}}'
        for status, message, repair in (
            (413, "too large", {"body": b"{"}),
            (401, "X-Auth-Token", {"token": f"user:{self.project}"}),
            (404, "", {"path": f"/servers/{UNKNOWN}/remote-consoles"}),
            (405, "POST", {"method": "POST"}),
            (400, "API Version String", {"version": "2.999"}),
            (406, "2.999 is not supported", {"version": "2.5"}),
            (415, "text/xml", {"type": JSON}),
            (400, "Malformed request body", {"body": wrong_schema}),
            (400, "Malformed request URL", {"project": ""}),
            (404, "The resource could", {"version": "2.6"}),
            (400, "Invalid input", {"body": right}),
            (404, f"Server {UNKNOWN} could not be found.", {}),
        ):
            with self.subTest(status=status, message=message):
                reply = self.client(None).request(
                    request["method"],
                    request["project"] + request["path"],
                    body=request["body"],
                    version=request["version"],
                    headers={
                        "X-Auth-Token": request["token"],
                        "Content-Type": request["type"],
                    },
                )
                self.assert_fault(reply, status)
                self.assertIn(message, reply.message)
            request.update(repair)


@base.on_each_database
class MicroversionTests(base.FunctionalTestCase):
    def list_consoles(self, standard=None, legacy=None):
        return self.member.get(
            f"/servers/{UNKNOWN}/consoles",
            headers={
                "OpenStack-API-Version": standard,
                "X-OpenStack-Nova-API-Version": legacy,
            },
        )

    def test_requested_microversion_is_in_force(self):
        def check(standard, legacy, version):
            reply = self.list_consoles(standard, legacy)
            self.assertEqual(200, reply.status, reply.body)
            self.assert_version_headers(reply, version)

        self.each(
            [
                (None, None, "2.1"),
                ("compute 2.1", None, "2.1"),
                ("compute 2.31", None, "2.31"),
                ("COMPUTE 2.31", None, "2.31"),
                ("Compute 2.104", None, "2.104"),
                ("compute latest", None, "2.104"),
                ("placement 1.30, compute 2.31", None, "2.31"),
                ("compute 2.31, volume 3.70", None, "2.31"),
                ("placement 1.30", None, "2.1"),
                ("placement 1.30", "2.31", "2.31"),
                (None, "2.31", "2.31"),
                (None, "latest", "2.104"),
                ("compute 2.40", "2.31", "2.40"),
            ],
            check,
        )

    def test_malformed_microversion_returns_400(self):
        def check(text):
            for standard, legacy in ((f"compute {text}", None), (None, text)):
                reply = self.list_consoles(standard, legacy)
                self.assert_fault(reply, 400)
                self.assert_version_headers(reply, None)

        self.each(
            [
                (text,)
                for text in (
                    *("2", "2.", ".1", "two", "2.x", "2.1.1", "2.01", "02.1"),
                    *("2.-1", "-2.1", "+2.1", "2,1", "2.1e3", "0x2.1"),
                    *("2.1\xb2", "\xb2.1", "2." + "9" * 500, "9" * 5000),
                    *("latest.1", "None", "''", "{}", "2.1;x"),
                )
            ],
            check,
        )

    def test_unsupported_microversion_returns_406(self):
        def check(version):
            for standard, legacy in (
                (f"compute {version}", None),
                (None, version),
            ):
                reply = self.list_consoles(standard, legacy)
                self.assert_fault(
                    reply,
                    406,
                    f"Version {version} is not supported by the API. Minimum "
                    "is 2.1 and maximum is 2.104.",
                )
                self.assert_version_headers(reply, version)

        self.each(
            [("2.0",), ("1.1",), ("2.105",), ("3.0",), ("2.999999999",)], check
        )

    def test_faults_name_microversion(self):
        reply = self.member.post(
            f"/servers/{UNKNOWN}/consoles", version="2.31"
        )
        self.assert_fault(reply, 404)
        self.assert_version_headers(reply, "2.31")

    def test_v2_ignores_microversions(self):
        server_id = self.make_server()
        legacy = self.client("user", prefix="/v2")
        for asked in (None, "2.99", "9.9", "nonsense"):
            with self.subTest(asked):
                reply = legacy.post(
                    f"/servers/{server_id}/action",
                    {"os-getVNCConsole": {"type": "novnc"}},
                    version=asked,
                )
                self.assertEqual(200, reply.status, reply.body)
                self.assert_version_headers(reply, None)
                # That of 2.6 is not there: 2.1 is in force.
                reply = legacy.post(
                    f"/servers/{server_id}/remote-consoles",
                    {"remote_console": {"protocol": "vnc", "type": "novnc"}},
                    version=asked,
                )
                self.assert_fault(reply, 404)


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
                    self.assert_version_headers(reply, None)

    def test_wrong_method_returns_405_and_allowed_methods(self):
        server = f"/servers/{self.make_server()}"
        for path, allowed in (
            (f"{server}/consoles", "GET, HEAD, POST"),
            (f"{server}/consoles/1", "DELETE, GET, HEAD"),
            ("/os-console-auth-tokens/x", "GET, HEAD"),
            (f"{server}/remote-consoles", "POST"),
            (f"{server}/action", "POST"),
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


@base.on_each_database
class BodyTests(base.FunctionalTestCase):
    """Bodies, on an operation that takes any and on one with a schema."""

    def setUp(self):
        super().setUp()
        self.server_id = self.make_server()
        self.make_console_host()
        self.consoles = f"/servers/{self.server_id}/consoles"
        self.remote = f"/servers/{self.server_id}/remote-consoles"
        self.wanted = (
            b'{"remote_console": {"protocol": "vnc", "type": "novnc"}}'
        )

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
                        self.wanted, path, Content_Type=content_type
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
        body = self.wanted.ljust(MAX_BODY)
        for sent in (body, iter([body[:9], body[9:]])):
            self.assertEqual(200, self.send(sent).status)
        for sent in (body + b" ", iter([body, b" "])):
            reply = self.send(sent)
            self.assert_fault(reply, 413, "Request is too large.")
        self.assertEqual(2, self.count_tokens(self.server_id))

    def test_incomplete_body_returns_400(self):
        head = (
            f"POST /v2.1{self.consoles} HTTP/1.1\r\nHost: localhost\r\n"
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

    def test_body_of_get_and_delete(self):
        reply = self.member.request("GET", self.consoles, body={"any": 1})
        self.assertEqual(200, reply.status)
        reply = self.member.request("GET", self.consoles, body=b"{")
        self.assert_fault(reply, 400, "Malformed request body")


@base.on_each_database
class RequestIdTests(base.FunctionalTestCase):
    def test_every_response_has_new_request_id(self):
        # That there are two headers, and equal, is asserted of each reply.
        replies = [
            self.client(None, prefix="").get("/"),
            self.client(None).get("/nothing"),
            *(self.member.get(f"/servers/{UNKNOWN}/consoles") for _ in "ab"),
        ]
        self.assertEqual(4, len({reply.request_id for reply in replies}))

    def test_request_id_of_caller_is_not_adopted(self):
        for name in ("X-Openstack-Request-Id", "X-Compute-Request-Id"):
            sent = f"req-{uuid.uuid4()}"
            reply = self.member.get(
                f"/servers/{UNKNOWN}/consoles", headers={name: sent}
            )
            self.assertNotEqual(sent, reply.request_id)

    def test_changes_and_refusals_are_logged(self):
        server_id = self.make_server()
        remote = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
        for method, path, body, status in (
            ("POST", f"/servers/{server_id}/remote-consoles", remote, 200),
            ("DELETE", f"/servers/{server_id}/consoles/1", None, 404),
            ("GET", f"/servers/{server_id}/consoles/1", None, 404),
            ("GET", "/os-console-auth-tokens/***", None, 403),
        ):
            with self.subTest(method, path=path):
                reply = self.member.request(
                    method, path, body=body, version="2.6"
                )
                [line] = self.log_lines(reply)
                self.assertIn(f'"{method} /v2.1{path}" status: ', line)
                self.assertIn(f"status: {status} ", line)

    def test_look_ups_are_not_logged(self):
        token = self.issue_token(self.make_server())
        reply = self.admin.get(
            f"/os-console-auth-tokens/{token}", version="2.31"
        )
        self.assertEqual((200, []), (reply.status, self.log_lines(reply)))

    def test_global_request_id_is_logged(self):
        """What another service says it is in, besides our own id."""
        for sent, logged in (
            (f"req-{uuid.uuid4()}", True),
            (f"req-{uuid.uuid4()}x", False),
            ("req-nonsense", False),
        ):
            with self.subTest(sent):
                reply = self.member.get(
                    "/os-console-auth-tokens/unknown",
                    headers={"X-OpenStack-Request-Id": sent},
                )
                [line] = self.log_lines(reply)
                self.assertEqual(logged, sent in line, line)
