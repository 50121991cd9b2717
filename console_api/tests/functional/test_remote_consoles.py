# SPDX-License-Identifier: Apache-2.0
"""Remote consoles: tokens and their access URLs, by both operations."""

import hashlib
import time
import uuid

import sqlalchemy as sa

from console_api.db import tables
from console_api.tests.functional import base

# Protocol, type, since which microversion, how its access URL begins.
TYPES = (
    ("vnc", "novnc", "2.6", "http://127.0.0.1:6080/vnc_auto.html?path=%3F"),
    ("vnc", "xvpvnc", "2.6", "http://127.0.0.1:6081/console?"),
    ("spice", "spice-html5", "2.6", "http://127.0.0.1:6082/spice_auto.html?"),
    ("rdp", "rdp-html5", "2.6", "http://127.0.0.1:6083/?"),
    ("serial", "serial", "2.6", "ws://127.0.0.1:6083/?"),
    ("mks", "webmks", "2.8", "http://127.0.0.1:6090/?"),
    ("spice", "spice-direct", "2.99", "http://127.0.0.1:13002/?"),
)

# Legacy action, type, its protocol.
ACTIONS = (
    ("os-getVNCConsole", "novnc", "vnc"),
    ("os-getVNCConsole", "xvpvnc", "vnc"),
    ("os-getSPICEConsole", "spice-html5", "spice"),
    ("os-getRDPConsole", "rdp-html5", "rdp"),
    ("os-getSerialConsole", "serial", "serial"),
)

URLS = {console_type: url for _, console_type, _, url in TYPES}

# A microversion, and the one before it that is not old enough.
BEFORE = {"2.6": "2.5", "2.8": "2.7", "2.99": "2.98"}


def wanted(protocol, console_type):
    return {"remote_console": {"protocol": protocol, "type": console_type}}


class RemoteConsoleTestCase(base.FunctionalTestCase):
    def setUp(self):
        super().setUp()
        self.server_id = self.make_server()
        self.remote = f"/servers/{self.server_id}/remote-consoles"
        self.action = f"/servers/{self.server_id}/action"

    def stored(self, token):
        """Return the row of a token."""
        tokens = tables.console_auth_tokens
        digest = hashlib.sha256(token.encode()).hexdigest()
        [row] = self.database.rows(
            sa.select(tokens).where(tokens.c.token_hash == digest)
        )
        return row

    def assert_url(self, url, console_type):
        """Assert that a URL is of a type, and return the token in it."""
        self.assertTrue(url.startswith(URLS[console_type]), url)
        joint = "token%3D" if console_type == "novnc" else "token="
        token = url.removeprefix(URLS[console_type]).removeprefix(joint)
        self.assertRegex(token, r"^[A-Za-z0-9_-]{43}\Z")
        self.assertEqual(token, base.token_of(url))
        return token


@base.on_each_database
class RemoteConsoleTests(RemoteConsoleTestCase):
    def test_types_exist_from_their_microversion(self):
        def check(protocol, console_type, since, _url):
            for version in (since, "2.104"):
                reply = self.member.post(
                    self.remote,
                    wanted(protocol, console_type),
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
                    row[1:-1],
                )
            stored = self.count_tokens(self.server_id)
            reply = self.member.post(
                self.remote,
                wanted(protocol, console_type),
                version=BEFORE[since],
            )
            self.assert_fault(reply, 404 if since == "2.6" else 400)
            self.assertEqual(stored, self.count_tokens(self.server_id))

        self.each(TYPES, check)

    def test_create_before_2_6_returns_404(self):
        for version in (None, "2.1", "2.5"):
            reply = self.member.post(
                self.remote, wanted("vnc", "novnc"), version=version
            )
            self.assert_fault(reply, 404, "The resource could not be found.")
            self.assert_version_headers(reply, version or "2.1")

    def test_type_of_other_protocol_returns_400(self):
        for protocol in sorted(base.ENDPOINTS):
            for its_protocol, console_type, _, _ in TYPES:
                if its_protocol == protocol:
                    continue
                with self.subTest(protocol=protocol, type=console_type):
                    reply = self.member.post(
                        self.remote,
                        wanted(protocol, console_type),
                        version="2.99",
                    )
                    self.assert_fault(
                        reply, 400, f"Invalid console type {console_type}"
                    )
        self.assertEqual(0, self.count_tokens(self.server_id))

    def test_invalid_body_returns_400(self):
        console = wanted("vnc", "novnc")["remote_console"]
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
            wanted("vnc", "novnc"),
            version="2.104",
        )
        self.assertEqual(200, reply.status)

    def test_missing_endpoint_returns_400(self):
        self.server_id = self.make_server(endpoints={})
        for protocol, console_type, _, _ in TYPES:
            with self.subTest(console_type):
                reply = self.member.post(
                    f"/servers/{self.server_id}/remote-consoles",
                    wanted(protocol, console_type),
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
            wanted("vnc", "novnc"),
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
                    wanted("vnc", "novnc"),
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


@base.on_each_database
class LegacyActionTests(RemoteConsoleTestCase):
    def test_actions_exist_up_to_2_5(self):
        def check(name, console_type, _protocol):
            for version in (None, "2.1", "2.5"):
                reply = self.member.post(
                    self.action,
                    {name: {"type": console_type}},
                    version=version,
                )
                self.assertEqual(200, reply.status, reply.body)
                self.assert_version_headers(reply, version or "2.1")
                console = reply.json["console"]
                token = self.assert_url(console.pop("url"), console_type)
                self.assertEqual({"type": console_type}, console)
                self.assertEqual(console_type, self.stored(token).console_type)

        self.each(ACTIONS, check)

    def test_actions_from_2_6_return_404(self):
        for version in ("2.6", "2.104"):
            for name, console_type, _ in ACTIONS:
                with self.subTest(name, version=version):
                    reply = self.member.post(
                        self.action,
                        {name: {"type": console_type}},
                        version=version,
                    )
                    self.assert_fault(reply, 404)
                    self.assert_version_headers(reply, version)
        self.assertEqual(0, self.count_tokens(self.server_id))

    def test_unknown_action_returns_400(self):
        vnc = {"os-getVNCConsole": {"type": "novnc"}}
        for body in (
            None,
            b"",
            b"null",
            {},
            [],
            "os-getVNCConsole",
            {"reboot": {"type": "HARD"}},
            {"os-getMKSConsole": {"type": "webmks"}},
            {"OS-GETVNCCONSOLE": {"type": "novnc"}},
            {**vnc, "reboot": None},
            {**vnc, "os-getSerialConsole": {"type": "serial"}},
            [vnc],
            {"os-getVNCConsole": None},
            {"os-getVNCConsole": "novnc"},
            {"os-getVNCConsole": {}},
            {"os-getVNCConsole": {"type": "novnc", "more": 1}},
            *(
                {"os-getVNCConsole": {"type": value}}
                for value in (
                    "",
                    "serial",
                    "NOVNC",
                    None,
                    1,
                    [],
                    {},
                    "x" * 999,
                )
            ),
            {"os-getSPICEConsole": {"type": "spice-direct"}},
            {"os-getSPICEConsole": {"type": "novnc"}},
            {"os-getRDPConsole": {"type": "rdp"}},
            {"os-getSerialConsole": {"type": "novnc"}},
        ):
            with self.subTest(str(body)[:80]):
                reply = self.member.post(self.action, body)
                self.assert_fault(reply, 400)
        self.assertEqual(0, self.count_tokens(self.server_id))

    def test_missing_endpoint_returns_400(self):
        server_id = self.make_server(endpoints={})
        for name, console_type, _ in ACTIONS:
            with self.subTest(name, type=console_type):
                reply = self.member.post(
                    f"/servers/{server_id}/action",
                    {name: {"type": console_type}},
                )
                message = f"Unavailable console type {console_type}."
                self.assert_fault(reply, 400, message)

    def test_headers_of_clients_are_accepted(self):
        """novaclient: the legacy header only; Horizon: none, empty Accept."""
        for headers in (
            {"X-OpenStack-Nova-API-Version": "2.1", "Accept": ""},
            {"Accept": ""},
        ):
            reply = self.member.post(
                self.action,
                {"os-getVNCConsole": {"type": "novnc"}},
                headers=headers,
            )
            self.assertEqual(200, reply.status)


@base.on_each_database
class BaseURLTests(RemoteConsoleTestCase):
    """Base URLs as operators write them."""

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
            self.remote, wanted(protocol, console_type), version="2.6"
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
            self.remote, wanted("vnc", "xvpvnc"), version="2.6"
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
