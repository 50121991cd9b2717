# SPDX-License-Identifier: Apache-2.0
"""Serve the API behind the examples of proxies."""

import http.client
import ssl
import uuid
from collections.abc import Mapping
from typing import ClassVar

from console_api.tests import certificates, prerequisites
from console_api.tests.functional import examples, nginx
from console_api.tests.functional.example_base import ADDRESS, ExampleTestCase
from console_api.tests.functional.examples import Program
from console_api.tests.ports import free_port

# More than the API has threads, each with a body of so many bytes.
_SLOW_REQUESTS = 20
_BODY_LENGTH = 5000


class ProxyTestCase(ExampleTestCase):
    """Tests of a proxy that terminates TLS."""

    scheme = "https"

    def choose_server(self) -> Program:
        self.api = self.start_server(
            {
                "oslo_middleware": {"enable_proxy_headers_parsing": "true"},
                "noauth2": {"allow_remote": "true"},
            },
            self.database,
        )
        # Keep all logs in one folder.
        self.folder = self.api.folder
        tls = certificates.make(self.folder)
        self.tls = ssl.create_default_context(cafile=str(tls.ca_file))
        self.certificate = self.folder / "console-api.pem"
        self.certificate.write_text(
            (self.folder / "server-cert.pem").read_text()
            + (self.folder / "server-key.pem").read_text()
        )
        program = self.start(free_port())
        self.addCleanup(program.kill)
        return program

    def client(self, user, **kwargs):
        return super().client(user, **{"tls": self.tls, **kwargs})

    def check_proxy(self) -> None:
        """Send all kinds of requests; check what the proxy itself does."""
        token = self.use()
        self.check_large_bodies()
        self.check_slow_bodies(token)
        path = f"/os-console-auth-tokens/{token}"
        self.api.stop()
        connection = self.connect()
        connection.request("GET", f"/v2.1{path}")
        self.assertIn(connection.getresponse().status, (502, 503))
        connection.close()
        self.assert_terminates()
        self.assertIn(self.failure_log, self.server.log)
        self.assert_not_logged(token)

    def connect(self) -> http.client.HTTPSConnection:
        """Return a connection to the proxy that is closed after the test."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.server.port, context=self.tls, timeout=60
        )
        self.addCleanup(connection.close)
        return connection

    #: Part of the access log of a request that the API does not answer.
    failure_log: ClassVar[str]

    #: Makes the tests' address one that is not used for monitoring.
    monitoring: ClassVar[Mapping[str, str]]

    def check_metrics(self) -> None:
        """Assert that only monitoring gets the metrics."""
        anyone = self.client(None, prefix="")
        self.assertIn(b"console_api_policy", anyone.get("/metrics").body)
        self.server.kill()
        self.server = self.start(free_port(), self.monitoring)
        self.addCleanup(self.server.kill)
        self.assertEqual(200, self.client(None, prefix="").get("/").status)
        connection = self.connect()
        for path in ("/metrics", "/metrics/", "/%6detrics", "/metrics?a=/"):
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            self.assertEqual(403, response.status, path)

    def check_large_bodies(self) -> None:
        """Assert that the proxy rejects a body that is too large."""
        connection = self.connect()
        connection.putrequest("POST", "/v2.1/servers/x/consoles")
        connection.putheader("Content-Length", str(200 * 1024))
        connection.endheaders()
        # No byte of the body has been sent.
        self.assertEqual(413, connection.getresponse().status)
        connection.close()

    def check_slow_bodies(self, token: str) -> None:
        """Assert that incomplete requests occupy no thread of the API."""
        slow = [self.begin_request() for _ in range(_SLOW_REQUESTS)]
        reply = self.admin.get(
            f"/os-console-auth-tokens/{token}", version="2.31"
        )
        self.assertEqual(200, reply.status)
        for connection in slow:
            connection.send(b"}".rjust(_BODY_LENGTH - 1))
        for connection in slow:
            self.assertEqual(404, connection.getresponse().status)
            connection.close()

    def begin_request(self) -> http.client.HTTPSConnection:
        """Send the headers and the first byte of the body of a request."""
        connection = self.connect()
        connection.putrequest("POST", f"/v2.1/servers/{uuid.uuid4()}/consoles")
        connection.putheader("X-Auth-Token", f"user:{self.project}")
        connection.putheader("Content-Length", str(_BODY_LENGTH))
        connection.endheaders(b"{")
        return connection


class NginxTest(ProxyTestCase):
    failure_log = " GET 502 "

    monitoring = {"allow 127.0.0.1;": "allow 192.0.2.1;"}

    def start(self, port, changes=()):
        host = examples.write(
            "nginx.conf",
            self.folder,
            {
                "listen 443": f"listen 127.0.0.1:{port}",
                ADDRESS: f"127.0.0.1:{self.api.port}",
                "/etc/ssl/private/console-api.pem": str(self.certificate),
                "/var/log/nginx": str(self.folder),
                **dict(changes),
            },
        )
        main = nginx.write(self.folder, f"include {host};")
        arguments = [prerequisites.find_program("nginx"), "-c", str(main)]
        return Program(self.folder, arguments, port)

    def test_nginx_example_proxies_api(self):
        self.check_proxy()

    def test_nginx_example_serves_metrics_to_monitoring_only(self):
        self.check_metrics()


class HAProxyTest(ProxyTestCase):
    failure_log = " GET 503 "

    monitoring = {"src 127.0.0.1": "src 192.0.2.1"}

    def start(self, port, changes=()):
        settings = examples.write(
            "haproxy.cfg",
            self.folder,
            {
                "/dev/log": "stdout format raw",
                "    user haproxy\n    group haproxy\n": "",
                "    chroot /var/lib/haproxy\n": "",
                "/run/haproxy": str(self.folder),
                "bind :443": f"bind 127.0.0.1:{port}",
                ADDRESS: f"127.0.0.1:{self.api.port}",
                "/etc/ssl/private/console-api.pem": str(self.certificate),
                **dict(changes),
            },
        )
        arguments = [
            prerequisites.find_program("haproxy"),
            "-W",
            "-f",
            str(settings),
        ]
        return Program(self.folder, arguments, port)

    def test_haproxy_example_proxies_api(self):
        self.check_proxy()

    def test_haproxy_example_serves_metrics_to_monitoring_only(self):
        self.check_metrics()

    def test_haproxy_refuses_what_its_buffer_cannot_hold(self):
        connection = self.connect()
        connection.putrequest("POST", "/v2.1/servers/x/consoles")
        connection.putheader("Transfer-Encoding", "chunked")
        # The size of the chunk, and the part of it that fills the buffer.
        connection.endheaders(b"ffff\r\n" + b"x" * 32_000)
        self.assertEqual(413, connection.getresponse().status)
        connection.close()
        connection.request("GET", "/", headers={"X-Large": "x" * 20_000})
        self.assertEqual(400, connection.getresponse().status)
