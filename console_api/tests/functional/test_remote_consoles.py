# SPDX-License-Identifier: Apache-2.0
"""Remote consoles: console auth tokens and their access URLs."""

import time
import uuid

from console_api.tests.functional import base
from console_api.tests.functional.remote_consoles import (
    TYPES,
    RemoteConsoleTestCase,
    request_body,
)

# For each microversion that added types, the one before it.
BEFORE = {"2.6": "2.5", "2.8": "2.7", "2.99": "2.98"}


@base.on_each_database
class RemoteConsoleTests(RemoteConsoleTestCase):
    def test_types_exist_from_their_microversion(self):
        def check(protocol, console_type, since, _url):
            for version in (since, "2.104"):
                reply = self.member.post(
                    self.remote,
                    request_body(protocol, console_type),
                    version=version,
                )
                self.assertEqual(200, reply.status, reply.body)
                self.assert_version_headers(reply, version)
                console = reply.json["remote_console"]
                token = self.assert_url(console.pop("url"), console_type)
                self.assertEqual(
                    {"protocol": protocol, "type": console_type}, console
                )
                row = self.stored(token)
                endpoint = base.ENDPOINTS[protocol]
                self.assertEqual(
                    (
                        self.server_id,
                        console_type,
                        "192.0.2.10",
                        endpoint["port"],
                        endpoint.get("tls_port"),
                        endpoint.get("internal_access_path"),
                        "user",
                    ),
                    row[1:8],
                )
            stored = self.count_tokens(self.server_id)
            reply = self.member.post(
                self.remote,
                request_body(protocol, console_type),
                version=BEFORE[since],
            )
            self.assert_fault(reply, 404 if since == "2.6" else 400)
            self.assertEqual(stored, self.count_tokens(self.server_id))

        self.each(TYPES, check)

    def test_create_before_2_6_returns_404(self):
        for version in (None, "2.1", "2.5"):
            reply = self.member.post(
                self.remote, request_body("vnc", "novnc"), version=version
            )
            self.assert_fault(
                reply,
                404,
                "This operation requires a microversion from 2.6 to 2.104, "
                f"but the request uses {version or '2.1'}. Use POST "
                "/servers/{server_id}/action instead, or send the header "
                "OpenStack-API-Version: compute 2.6.",
            )
            self.assert_version_headers(reply, version or "2.1")

    def test_type_of_other_protocol_returns_400(self):
        for protocol in sorted(base.ENDPOINTS):
            for its_protocol, console_type, _, _ in TYPES:
                if its_protocol == protocol:
                    continue
                with self.subTest(protocol=protocol, type=console_type):
                    reply = self.member.post(
                        self.remote,
                        request_body(protocol, console_type),
                        version="2.99",
                    )
                    self.assert_fault(
                        reply, 400, f"Invalid console type {console_type}"
                    )
        self.assertEqual(0, self.count_tokens(self.server_id))

    def test_invalid_body_returns_400(self):
        console = request_body("vnc", "novnc")["remote_console"]
        for body in (
            None,
            b"",
            b"null",
            {},
            [],
            "text",
            1,
            {"remote_console": None},
            {"remote_console": []},
            {"remote_console": "vnc"},
            {"remote_console": {}},
            {"remote_console": {"protocol": "vnc"}},
            {"remote_console": {"type": "novnc"}},
            {"remote_console": console, "more": 1},
            {"remote_console": {**console, "more": 1}},
            {"remoteConsole": console},
            [{"remote_console": console}],
            *(
                {"remote_console": {**console, field: value}}
                for field in ("protocol", "type")
                for value in (
                    *("", "VNC", "NoVNC", "vnc ", "rdp5", "x" * 10_000),
                    *("\x00", "\U0001f4a9", None, 1, True, [], {}, ["vnc"]),
                )
            ),
            b'{"remote_console": NaN}',
            b'{"remote_console": {"protocol": "vnc", "type": 1e999}}',
            b'{"remote_console": {"protocol": Infinity, "type": "novnc"}}',
            b'{"remote_console": {"protocol": "\\ud800", "type": "novnc"}}',
        ):
            with self.subTest(str(body)[:80]):
                reply = self.member.post(self.remote, body, version="2.6")
                self.assert_fault(reply, 400)
                self.assertTrue(reply.message.startswith("Invalid input"))
                self.assertLess(len(reply.message), 600)
                self.assert_version_headers(reply, "2.6")
        self.assertEqual(0, self.count_tokens(self.server_id))

    def test_query_parameters_are_ignored(self):
        reply = self.member.post(
            f"{self.remote}?unknown=1&%ff",
            request_body("vnc", "novnc"),
            version="2.104",
        )
        self.assertEqual(200, reply.status)

    def test_missing_endpoint_returns_400(self):
        self.server_id = self.make_server(endpoints={})
        for protocol, console_type, _, _ in TYPES:
            with self.subTest(console_type):
                reply = self.member.post(
                    f"/servers/{self.server_id}/remote-consoles",
                    request_body(protocol, console_type),
                    version="2.99",
                )
                message = f"Unavailable console type {console_type}."
                self.assert_fault(reply, 400, message)
        self.assertEqual(0, self.count_tokens(self.server_id))

    def test_server_without_compute_host_returns_409(self):
        server_id = self.make_server(compute_host=None)
        message = f"Instance {server_id} is not ready"
        reply = self.member.post(
            f"/servers/{server_id}/remote-consoles",
            request_body("vnc", "novnc"),
            version="2.6",
        )
        self.assert_fault(reply, 409, message)
        reply = self.member.post(
            f"/servers/{server_id}/action",
            {"os-getVNCConsole": {"type": "novnc"}},
        )
        self.assert_fault(reply, 409, message)
        self.assertEqual(0, self.count_tokens(server_id))

    def test_unknown_server_returns_404(self):
        for server_id in (str(uuid.uuid4()), "x", "%00", "%ff", "a" * 5000):
            with self.subTest(server_id[:40]):
                reply = self.admin.post(
                    f"/servers/{server_id}/remote-consoles",
                    request_body("vnc", "novnc"),
                    version="2.6",
                )
                self.assert_fault(reply, 404)
                reply = self.admin.post(
                    f"/servers/{server_id}/action",
                    {"os-getVNCConsole": {"type": "novnc"}},
                )
                self.assert_fault(reply, 404)

    def test_token_is_valid_for_ten_minutes(self):
        before = int(time.time())
        row = self.stored(self.issue_token(self.server_id))
        after = int(time.time())
        self.assertIn(row.expires_at, range(before + 600, after + 601))

    def test_delete_revokes_all_tokens_of_the_server(self):
        other = self.make_server()
        kept = self.issue_token(other)
        for version in (None, "2.6", "latest"):
            tokens = [
                self.issue_token(self.server_id),
                self.issue_token(self.server_id, "spice", "spice-html5"),
            ]
            for _ in range(2):
                reply = self.member.delete(self.remote, version=version)
                self.assertEqual((204, b""), (reply.status, reply.body))
            self.assertEqual(0, self.count_tokens(self.server_id))
            for token in tokens:
                path = f"/os-console-auth-tokens/{token}"
                found = self.admin.get(path, version="2.31")
                self.assert_fault(found, 404, "Token not found")
        path = f"/os-console-auth-tokens/{kept}"
        self.assertEqual(200, self.admin.get(path, version="2.31").status)

    def test_delete_of_unknown_server_returns_404(self):
        unknown = str(uuid.uuid4())
        reply = self.member.delete(f"/servers/{unknown}/remote-consoles")
        self.assert_fault(reply, 404, f"Server {unknown} could not be found.")


@base.on_each_database
class BaseURLTests(RemoteConsoleTestCase):
    """Base URLs with queries, disabled types, and the TTL of tokens."""

    options = {
        "remote_consoles": {
            "novnc_base_url": "https://vnc.example/x?host=a&path=ws%3Fp%3D1&z",
            "xvpvnc_base_url": "",
            "spice_html5_base_url": "https://spice.example/s.html?keep=this&t",
            "serial_base_url": "wss://serial.example:6443",
        },
        "tokens": {"ttl": "7"},
    }

    def url(self, protocol, console_type):
        reply = self.member.post(
            self.remote, request_body(protocol, console_type), version="2.6"
        )
        self.assertEqual(200, reply.status, reply.body)
        return reply.json["remote_console"]["url"]

    def test_query_of_base_url_is_extended(self):
        for protocol, console_type, start, end in (
            (
                "vnc",
                "novnc",
                "https://vnc.example/x?",
                "path=ws%3Fp%3D1%26token%3D{}",
            ),
            (
                "spice",
                "spice-html5",
                "https://spice.example/s.html?keep=this&",
                "token={}",
            ),
            ("serial", "serial", "wss://serial.example:6443?", "token={}"),
        ):
            with self.subTest(console_type):
                url = self.url(protocol, console_type)
                self.assertTrue(url.startswith(start), url)
                token = base.token_of(url)
                self.assertTrue(url.endswith(end.format(token)), url)
                self.stored(token)

    def test_disabled_type_returns_400(self):
        message = "Unavailable console type xvpvnc."
        reply = self.member.post(
            self.remote, request_body("vnc", "xvpvnc"), version="2.6"
        )
        self.assert_fault(reply, 400, message)
        reply = self.member.post(
            self.action, {"os-getVNCConsole": {"type": "xvpvnc"}}
        )
        self.assert_fault(reply, 400, message)

    def test_ttl_of_tokens_is_configured(self):
        before = int(time.time())
        row = self.stored(self.issue_token(self.server_id))
        after = int(time.time())
        self.assertIn(row.expires_at, range(before + 7, after + 8))
