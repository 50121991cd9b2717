# SPDX-License-Identifier: Apache-2.0
"""Serve the gateway behind the examples of proxies."""

import http.client
import socket
import ssl
from typing import ClassVar

import sqlalchemy as sa
from websocket import WebSocketBadStatusException

from console_api.cmd.quickstart import sample_server
from console_api.db import tables
from console_api.tests import certificates, prerequisites
from console_api.tests.functional import (
    configuration,
    examples,
    gateways,
    nginx,
)
from console_api.tests.functional.configuration import Options
from console_api.tests.functional.examples import Program
from console_api.tests.functional.websocket_client import WebSocketViewer
from console_api.tests.ports import free_port

#: The address of the gateway in the examples.
ADDRESS = "127.0.0.1:6080"

CERTIFICATE = "/etc/ssl/private/consoles.pem"

# Lines of examples for HAProxy as another user.
USERS = "    user haproxy\n    group haproxy\n    chroot /var/lib/haproxy\n"

# Where the viewer connects from; the proxy uses another address.
VIEWER = "127.0.0.2"

FORGED = {
    "X-Forwarded-For": "192.0.2.66",
    "X-Forwarded-Host": "evil.example.org",
    "Forwarded": "for=192.0.2.66",
}


class ProxyTestCase(gateways.GatewayTestCase):
    """Tests of a proxy in front of a gateway."""

    backend = "sqlite"
    gateway_options: ClassVar[Options] = {
        "gateway": {"trusted_proxies": "127.0.0.1"}
    }

    def setUp(self):
        self.folder = configuration.temporary_folder()
        tls = certificates.make(self.folder)
        self.context = ssl.create_default_context(cafile=str(tls.ca_file))
        self.certificate = self.folder / "consoles.pem"
        self.certificate.write_text(
            (self.folder / "server-cert.pem").read_text()
            + (self.folder / "server-key.pem").read_text()
        )
        super().setUp()
        self.port = free_port()
        self.proxy = self.start_proxy()
        self.addCleanup(self.proxy.kill)

    def start_proxy(self) -> Program:
        """Start the proxy of the example."""
        raise NotImplementedError

    @property
    def changes(self) -> dict[str, str]:
        """What the tests replace in all examples."""
        return {
            ADDRESS: f"127.0.0.1:{self.gateway.port}",
            CERTIFICATE: str(self.certificate),
        }

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=self.context, timeout=60
        )
        self.addCleanup(connection.close)
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        response.content = response.read()
        return response

    def connect(self, path: str, origin: str) -> WebSocketViewer:
        """Open a WebSocket from the viewer's address."""
        connection = socket.create_connection(
            ("127.0.0.1", self.port), 60, (VIEWER, 0)
        )
        return WebSocketViewer(
            f"wss://127.0.0.1:{self.port}{path}",
            socket=self.context.wrap_socket(
                connection, server_hostname="127.0.0.1"
            ),
            origin=origin,
            suppress_origin=False,
            header=FORGED,
        )

    def check(self) -> None:
        """Show a screen through the proxy; check what is logged of it."""
        self.eventually(lambda: self.request("GET", "/health").status == 200)
        page = self.request("GET", "/vnc_auto.html?path=%3Ftoken%3Dsecret-x")
        self.assertEqual(200, page.status)
        with sample_server.running("127.0.0.1") as displays:
            token = self.token_for(displays["vnc"])
            origin = f"https://127.0.0.1:{self.port}"
            with self.connect(f"/?token={token}", origin) as viewer:
                self.assertIn("test picture", viewer.begin())
                self.check_addresses()
        with self.assertRaises(WebSocketBadStatusException) as caught:
            self.connect(f"/?token={token}", "https://evil.example.org")
        self.assertEqual(403, caught.exception.status_code)
        self.assert_not_logged(token, "secret-x")
        for secret in (token, "secret-x"):
            self.assertNotIn(secret, self.proxy.log)

    def check_addresses(self) -> None:
        """Assert that the session has the addresses of both."""
        table = tables.console_sessions
        [session] = self.database.rows(
            sa.select(table).where(table.c.project_id == self.project)
        )
        self.assertEqual("127.0.0.1", session.proxy_address)
        self.assertEqual(VIEWER, session.client_address)

    def check_cookie(self) -> None:
        """Assert that the secret is in a cookie, as the proxy has TLS."""
        with sample_server.running("127.0.0.1") as displays:
            token = self.token_for(displays["vnc"])
            answer = self.request(
                "POST",
                "/exchange",
                f'{{"token": "{token}"}}',
                {"Content-Type": "application/json"},
            )
        self.assertEqual(200, answer.status, answer.content)
        self.assertIn("Partitioned", answer.headers["Set-Cookie"])
        self.assertIn(b'"secret": null', answer.content)


class NginxGatewayTest(ProxyTestCase):
    def start_proxy(self):
        host = examples.write(
            "nginx-gateway.conf",
            self.folder,
            {
                "listen 443": f"listen 127.0.0.1:{self.port}",
                "/var/log/nginx": str(self.folder),
                **self.changes,
            },
        )
        main = nginx.write(self.folder, f"include {host};")
        command = [prerequisites.find_program("nginx"), "-c", str(main)]
        return Program(self.folder, command, self.port)

    def test_nginx_example_proxies_gateway(self):
        self.check()
        self.check_cookie()

    def test_nginx_limits_exchanges(self):
        statuses = {
            self.request("POST", "/exchange", "{}").status for _ in range(40)
        }
        self.assertIn(429, statuses)


class HAProxyTestCase(ProxyTestCase):
    """Tests of an example for HAProxy."""

    example: ClassVar[str]

    def start_proxy(self):
        settings = examples.write(
            self.example,
            self.folder,
            {
                "/dev/log": "stdout format raw",
                USERS: "",
                "bind :443": f"bind 127.0.0.1:{self.port}",
                **self.changes,
            },
        )
        command = [
            *(prerequisites.find_program("haproxy"), "-W"),
            *("-f", str(settings)),
        ]
        return Program(self.folder, command, self.port)


class HAProxyGatewayTest(HAProxyTestCase):
    example = "haproxy-gateway.cfg"

    def test_haproxy_example_proxies_gateway(self):
        self.check()
        self.check_cookie()

    def test_haproxy_limits_exchanges(self):
        statuses = {
            self.request("POST", "/exchange", "{}").status for _ in range(60)
        }
        self.assertIn(429, statuses)


class HAProxyTCPGatewayTest(HAProxyTestCase):
    """The gateway terminates TLS."""

    example = "haproxy-gateway-tcp.cfg"

    @property
    def changes(self):
        return {ADDRESS: f"127.0.0.1:{self.gateway.port}"}

    def start_gateway(self, options=None):
        tls = {"tls_cert_file": str(self.certificate)}
        return super().start_gateway(
            {
                "gateway": {
                    **self.gateway_options["gateway"],
                    **tls,
                    "proxy_protocol": "true",
                }
            }
        )

    def test_haproxy_example_passes_addresses_in_tcp(self):
        self.check()
        self.check_cookie()
