# SPDX-License-Identifier: Apache-2.0
"""The examples of proxies stand in front of the API as they are."""

import http.client
import os
import ssl
from typing import ClassVar

from console_api.tests import prerequisites
from console_api.tests.functional import certificates, examples
from console_api.tests.functional.example_base import ADDRESS, ExampleTestCase
from console_api.tests.functional.examples import Program
from console_api.tests.ports import free_port

MAIN_OF_NGINX = """\
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    include {host};
}}
"""


class ProxyTestCase(ExampleTestCase):
    """Tests of what stands in front of a server and ends TLS."""

    scheme = "https"

    def choose_server(self) -> Program:
        self.api = self.start_server(
            {
                "oslo_middleware": {"enable_proxy_headers_parsing": "true"},
                "noauth2": {"allow_remote": "true"},
            },
            self.database,
        )
        # All logs are in one folder.
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

    def use_as_a_proxy(self) -> None:
        """Use the API, and see what the proxy itself decides and logs."""
        token = self.use()
        self.check_large_bodies()
        path = f"/os-console-auth-tokens/{token}"
        self.api.stop()
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.server.port, context=self.tls, timeout=60
        )
        connection.request("GET", f"/v2.1{path}")
        self.assertIn(connection.getresponse().status, (502, 503))
        connection.close()
        self.assert_terminates()
        self.assertIn(self.logged_of_a_failure, self.server.log)
        self.assert_not_logged(token)

    #: What the access log has of a request that nobody has answered.
    logged_of_a_failure: ClassVar[str]

    def check_large_bodies(self) -> None:
        """Assert that a body that is too large for all is refused early."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.server.port, context=self.tls, timeout=60
        )
        connection.putrequest("POST", "/v2.1/servers/x/consoles")
        connection.putheader("Content-Length", str(200 * 1024))
        connection.endheaders()
        # Not a byte of it has been sent.
        self.assertEqual(413, connection.getresponse().status)
        connection.close()


class NginxTest(ProxyTestCase):
    logged_of_a_failure = " GET 502 "

    def start(self, port):
        host = examples.write(
            "nginx.conf",
            self.folder,
            {
                "listen 443": f"listen 127.0.0.1:{port}",
                ADDRESS: f"127.0.0.1:{self.api.port}",
                "/etc/ssl/private/console-api.pem": str(self.certificate),
                "/var/log/nginx": str(self.folder),
            },
        )
        main = self.folder / "main.conf"
        main.write_text(
            MAIN_OF_NGINX.format(
                folder=self.folder,
                host=host,
                user="" if os.geteuid() else "user root;",
            )
        )
        arguments = [prerequisites.find_program("nginx"), "-c", str(main)]
        return Program(self.folder, arguments, port)

    def test_nginx(self):
        self.use_as_a_proxy()


class HAProxyTest(ProxyTestCase):
    logged_of_a_failure = " GET 503 "

    def start(self, port):
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
            },
        )
        arguments = [
            prerequisites.find_program("haproxy"),
            "-W",
            "-f",
            str(settings),
        ]
        return Program(self.folder, arguments, port)

    def test_haproxy(self):
        self.use_as_a_proxy()
