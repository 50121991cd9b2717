# SPDX-License-Identifier: Apache-2.0
"""Sessions of gateways while the API is down; metrics and log lines."""

import contextlib
import re
import socketserver
import threading

import sqlalchemy as sa

from console_api.db import tables
from console_api.tests.functional import base
from console_api.tests.functional.gateways import GatewayTestCase
from console_api.tests.functional.tcp_proxy import TCPProxy
from console_api.tests.functional.websocket_client import WebSocketStream

_sessions = tables.console_sessions.c


class EchoHandler(socketserver.BaseRequestHandler):
    """Returns what it receives."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.request.recv(4096):
                self.request.sendall(data)


class EchoServer(socketserver.ThreadingTCPServer):
    """A serial port that echoes."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), EchoHandler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, args=(0.05,)).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class SessionsTestCase(GatewayTestCase):
    """Tests with serial consoles that echo, behind a proxy to the API."""

    options = {
        # The API sees the port of the proxy in the Host header.
        "noauth2": {"allow_remote": "true"},
    }

    def setUp(self):
        self.display = EchoServer()
        self.addCleanup(self.display.stop)
        self.proxy = None
        super().setUp()

    def start_gateway(self, options=None):
        if self.proxy is None:
            self.proxy = TCPProxy("127.0.0.1", self.server.port)
            self.addCleanup(self.proxy.cut)
        endpoint = f"http://127.0.0.1:{self.proxy.port}/v2.1"
        return super().start_gateway(
            {**(options or {}), "gateway_api": {"endpoint": endpoint}}
        )

    def open(self, gateway=None) -> WebSocketStream:
        """Open a session of a new server."""
        token = self.token_for(self.display.port, "serial", "serial")
        stream = (gateway or self.gateway).connect(f"/?token={token}")
        self.addCleanup(stream.close)
        self.assert_echoes(stream)
        return stream

    def assert_echoes(self, stream: WebSocketStream) -> None:
        """Assert that a session works."""
        stream.sendall(b"hello")
        received = b""
        while len(received) < 5:
            data = stream.recv(5)
            self.assertTrue(data, stream.closed)
            received += data
        self.assertEqual(b"hello", received)

    def rows(self, *conditions) -> list[sa.Row]:
        """Return the sessions of this test's project."""
        query = sa.select(tables.console_sessions).where(
            _sessions.project_id == self.project, *conditions
        )
        return self.database.rows(query)


@base.on_databases("sqlite")
class ApiDownTests(SessionsTestCase):
    """Tests of an API that is down."""

    def test_open_sessions_continue_and_ends_are_reported_later(self):
        lasting, ending = self.open(), self.open()
        self.proxy.cut()
        self.eventually(lambda: self.gateway.monitor("/ready") == 503)
        self.assertEqual(200, self.gateway.monitor("/health"))
        self.assert_echoes(lasting)
        ending.close()
        self.eventually_logged("Closed a session")
        self.assertEqual(2, len(self.rows(_sessions.closed_at.is_(None))))
        self.proxy.restore()
        self.eventually(
            lambda: len(self.rows(_sessions.closed_at.is_(None))) == 1
        )
        [ended] = self.rows(_sessions.closed_at.is_not(None))
        self.assertEqual(
            ("connection_lost", 5, 5),
            (ended.close_reason, ended.bytes_in, ended.bytes_out),
        )
        self.eventually(self.gateway.is_ready)
        self.assert_echoes(lasting)
        self.open()

    def test_nothing_new_opens(self):
        token = self.token_for(self.display.port, "serial", "serial")
        self.proxy.cut()
        answer = self.gateway.exchange(token)
        self.assertEqual(503, answer.status, answer.body)
        self.assertEqual("unavailable", answer.json["reason"])
        self.assertEqual(4012, answer.json["code"])
        self.assertGreater(int(answer.headers["Retry-After"]), 0)
        stream = self.gateway.connect(f"/?token={token}")
        self.addCleanup(stream.close)
        self.assertEqual(4012, stream.wait_until_closed().code)
        self.proxy.restore()
        self.eventually(self.gateway.is_ready)
        answer = self.gateway.exchange(token)
        self.assertEqual(200, answer.status, answer.body)
        self.assert_not_logged(token)

    def test_api_that_hangs_does_not_stop_sessions(self):
        stream = self.open()
        self.proxy.stall()
        self.eventually(lambda: self.gateway.monitor("/ready") == 503)
        self.assert_echoes(stream)
        self.proxy.cut()
        self.proxy.restore()
        self.eventually(self.gateway.is_ready)
        self.assert_echoes(stream)


@base.on_databases("sqlite")
class MetricsTests(SessionsTestCase):
    """Tests of metrics and log lines."""

    def metrics(self) -> str:
        return self.gateway.monitoring("/metrics").body.decode()

    def test_sessions_are_counted_and_audited(self):
        stream = self.open()
        text = self.metrics()
        self.assertIn(
            'console_api_gateway_sessions{console_type="serial"} 1.0', text
        )
        stream.close()
        self.eventually_logged("Closed a session: user_id=admin")
        self.eventually(
            lambda: (
                (
                    "console_api_gateway_sessions_closed_total"
                    '{reason="connection_lost"} 1.0'
                )
                in self.metrics()
            )
        )
        self.assertIn(
            "console_api_gateway_received_bytes_total"
            '{console_type="serial"} 5.0',
            self.metrics(),
        )
        self.gateway.connect("/?token=unknown").close()
        self.eventually_logged(
            "Refused a session: client_address=127.0.0.1, reason=invalid_token"
        )
        self.assertIn(
            'console_api_gateway_refusals_total{reason="invalid_token"} 1.0',
            self.metrics(),
        )
        self.assertEqual(
            1, len(re.findall("Opened a session", self.gateway.log))
        )
