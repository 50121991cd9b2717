# SPDX-License-Identifier: Apache-2.0
"""Requests of a hostile client, byte by byte."""

import base64
import socket

from console_api.gateway.close_reasons import CloseReason
from console_api.tests.functional import vnc_servers
from console_api.tests.functional.gateways import GatewayTestCase
from console_api.tests.functional.rfb_client import TIMEOUT

_UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade, close\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
_JSON = "Content-Type: application/json\r\nConnection: close\r\n"

#: Heads of requests for a WebSocket, and the status of the answer.
UPGRADES = {
    "another method": ("POST", "HTTP/1.1", "Host: {host}\r\n", 405),
    "HTTP/1.0": ("GET", "HTTP/1.0", "Host: {host}\r\n", 505),
    "two hosts": ("GET", "HTTP/1.1", "Host: {host}\r\nHost: evil\r\n", 400),
    "no host": ("GET", "HTTP/1.1", "Origin: http://evil\r\n", 400),
    "two origins": (
        "GET",
        "HTTP/1.1",
        "Host: {host}\r\nOrigin: http://{host}\r\nOrigin: http://evil\r\n",
        400,
    ),
    "origin of a forwarded host": (
        "GET",
        "HTTP/1.1",
        "Host: {host}\r\nX-Forwarded-Host: evil\r\nOrigin: http://evil\r\n",
        403,
    ),
    "folded header": (
        "GET",
        "HTTP/1.1",
        "Host: {host}\r\nOrigin:\r\n http://evil\r\n",
        400,
    ),
    "bytes that are no text": (
        "GET",
        "HTTP/1.1",
        "Host: {host}\r\nSec-WebSocket-Protocol: \xff\xfe\r\n",
        400,
    ),
}
#: Bodies of the exchange of a token.
BODIES = {
    "nested": "[" * 4000,
    "objects": '{"a":' * 800,
    "number": "9" * 4000,
    "long": '"' + "x" * 5000 + '"',
    "no object": "[]",
    "empty token": '{"token": ""}',
    "number as token": '{"token": 1}',
    "other encoding": '{"token": "\xff"}',
}


class AttackTestCase(GatewayTestCase):
    backend = "sqlite"
    gateway_options = {"DEFAULT": {"debug": "true"}}

    def setUp(self):
        super().setUp()
        self.display = vnc_servers.xvnc()
        self.addCleanup(self.display.stop)
        self.token = self.token_for(self.display.port)
        self.host = f"127.0.0.1:{self.gateway.port}"

    def send(self, request):
        """Send a request; return the beginning of what is answered."""
        address = ("127.0.0.1", self.gateway.port)
        with socket.create_connection(address, TIMEOUT) as connection:
            connection.sendall(request.encode("latin-1"))
            return connection.recv(4096).decode("latin-1")

    def assert_status(self, status, answer):
        self.assertEqual(str(status), answer.split(" ")[1], answer)

    def open(self, page, secret):
        """Open the WebSocket of a page with a secret."""
        encoded = base64.urlsafe_b64encode(secret.encode()).decode()
        offered = f"console.{encoded.rstrip('=')}"
        stream = self.gateway.connect(
            f"/connect/{page['console']}", subprotocols=["binary", offered]
        )
        self.addCleanup(stream.close)
        return stream

    def assert_quiet(self, *secrets):
        """Assert that the log has no secret and no unexpected error."""
        self.assert_not_logged(self.token, *secrets)
        for word in ("Unexpected", "Traceback", "ERROR"):
            self.assertNotIn(word, self.gateway.log)


class RequestTests(AttackTestCase):
    def test_malformed_requests_for_websockets(self):
        for name, (method, version, headers, status) in UPGRADES.items():
            with self.subTest(name):
                head = headers.format(host=self.host)
                answer = self.send(
                    f"{method} /?token={self.token} {version}\r\n{head}"
                    f"{_UPGRADE}\r\n"
                )
                self.assert_status(status, answer)
        self.assert_quiet()

    def test_malformed_exchanges(self):
        for name, body in BODIES.items():
            for more in ("", "Content-Encoding: gzip\r\n"):
                with self.subTest(name, more=more):
                    answer = self.send(
                        f"POST /exchange HTTP/1.1\r\nHost: {self.host}\r\n"
                        f"{_JSON}{more}Content-Length: {len(body)}\r\n\r\n"
                        f"{body}"
                    )
                    self.assert_status(400, answer)
        self.assert_quiet()

    def test_strange_cookies_do_not_matter(self):
        secret = "s3cr3t-of-another-page"
        answer = self.send(
            f"GET /?token={self.token} HTTP/1.1\r\nHost: {self.host}\r\n"
            f'Cookie: \xff\xfe=1; =; a="b\\; console-x={secret}\r\n'
            f"{_UPGRADE}\r\n"
        )
        self.assert_status(101, answer)
        self.assert_quiet(secret)


class CredentialTests(AttackTestCase):
    def test_only_the_secret_resumes_a_session(self):
        page = self.gateway.exchange(self.token).json
        stream = self.open(page, page["secret"])
        self.assertEqual(b"RFB 003.008\n", stream.recv(12))
        for other in (page["console"], self.token, page["secret"][:-1]):
            closed = self.open(page, other).wait_until_closed()
            self.assertEqual(CloseReason.INVALID_TOKEN.code, closed.code)
        for token in (page["secret"], page["console"]):
            stranger = self.gateway.connect(f"/?token={token}")
            self.addCleanup(stranger.close)
            code = stranger.wait_until_closed().code
            self.assertEqual(CloseReason.INVALID_TOKEN.code, code)
        again = self.open(page, page["secret"])
        self.assertEqual(b"RFB 003.008\n", again.recv(12))
        closed = stream.wait_until_closed()
        self.assertEqual(CloseReason.TAKEN_OVER.code, closed.code)
        self.assert_quiet(page["secret"])
