# SPDX-License-Identifier: Apache-2.0
"""The examples of the guide "Deploy" serve the API as they are."""

import http.client
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import uuid
from pathlib import Path
from typing import ClassVar

from console_api.tests.functional import (
    agents,
    base,
    certificates,
    configuration,
    examples,
)
from console_api.tests.functional.examples import Program
from console_api.tests.unit import needed
from console_api.tests.unit.ports import free_port

BIN = Path(sys.executable).parent
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
MOD_WSGI = Path(f"/usr/lib/apache2/modules/mod_wsgi.so-{PYTHON}")
ADDRESS = "127.0.0.1:9890"

NOVNC = {"remote_console": {"protocol": "vnc", "type": "novnc"}}

# A user without a home, as a system user is.
NOBODY = "nobody"

# mod_wsgi does not run as root, and anyone else may not be able to read what
# belongs to root: so root is somebody else by name only.
AS_NOBODY = [] if os.geteuid() else ["unshare", "--user", "--map-user", NOBODY]

MAIN_OF_APACHE = """\
ServerRoot {folder}
ServerName localhost
PidFile {folder}/apache2.pid
ErrorLog {folder}/error.log
WSGISocketPrefix {folder}/wsgi
LoadModule mpm_event_module {wsgi.parent}/mod_mpm_event.so
LoadModule authz_core_module {wsgi.parent}/mod_authz_core.so
LoadModule wsgi_module {wsgi}
Include {host}
"""

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

# Has a socket end by a reset, so that the answer cannot be sent.
NO_LINGER = struct.pack("ii", 1, 0)

# What a client says of proxies that are not there.
FORGED = {
    "Forwarded": "proto=ftp;host=evil.example.org",
    "X-Forwarded-Host": "evil.example.org",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-For": "192.0.2.66",
    "SCRIPT_NAME": "/evil",
}


class ExampleTestCase(base.FunctionalTestCase):
    """Tests of one example, on SQLite."""

    backend = "sqlite"
    scheme = "http"

    def choose_server(self) -> Program:
        self.folder = configuration.temporary_folder()
        program = self.start(free_port())
        self.addCleanup(program.kill)
        return program

    def start(self, port: int) -> Program:
        """Start the example, configured in the test's folder."""
        raise NotImplementedError

    def configure(self, **options) -> None:
        """Write the configuration of the service."""
        configuration.write(self.folder, self.database, options)

    def use(self) -> str:
        """Use the API with all that its clients do.

        :returns: a console auth token, which no log may have
        """
        anyone = self.client(None, prefix="")
        self.assertEqual(200, anyone.get("/healthcheck").status)
        server_id = self.make_server()
        self.make_console_host()
        consoles = f"/servers/{server_id}/consoles"
        reply = self.member.post(consoles, {"console": {}})
        self.assertEqual(200, reply.status, reply.body)
        [listed] = self.member.get(consoles).json["consoles"]
        path = f"{consoles}/{listed['console']['id']}"
        self.assertEqual(200, self.member.get(path).status)
        self.assertEqual(202, self.member.delete(path).status)
        self.assertEqual([], self.member.get(consoles).json["consoles"])
        token = self.issue_token(server_id)
        reply = self.admin.get(
            f"/os-console-auth-tokens/{token}", version="2.99"
        )
        self.assertEqual(200, reply.status)
        # A refusal is logged, so that this one's path could have been.
        reply = self.admin.get(f"/os-console-auth-tokens/{token}x?y={token}")
        self.assertEqual(404, reply.status)
        self.eventually(lambda: reply.request_id in self.server.log)
        self.assert_not_logged(token)
        self.check_links(anyone)
        body = json.dumps(NOVNC).encode()
        reply = self.member.post(
            f"/servers/{server_id}/remote-consoles",
            iter([body[:9], body[9:]]),
            version="2.6",
        )
        self.assertEqual(200, reply.status, reply.body)
        return token

    def hang_up_on(self, token: str) -> None:
        """Look a token up, and do not wait for the answer."""
        request = (
            f"GET /v2.1/os-console-auth-tokens/{token} HTTP/1.1\r\n"
            f"Host: localhost\r\nX-Auth-Token: gone:{self.project}\r\n\r\n"
        )

        def is_heard() -> bool:
            with socket.create_connection(
                ("127.0.0.1", self.server.port), examples.TIMEOUT
            ) as connection:
                connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER
                )
                connection.sendall(request.encode())
            return f" gone {self.project} " in self.server.log

        # Now and then the reset overtakes the request.
        self.eventually(is_heard)

    def check_links(self, anyone) -> None:
        href = f"{self.scheme}://127.0.0.1:{self.server.port}/v2.1/"
        shown = anyone.get("/v2.1", headers=FORGED).json["version"]
        self.assertEqual(href, shown["links"][0]["href"])

    def assert_ends(self) -> None:
        """Assert that SIGTERM ends the program and all that belongs to it."""
        self.assertLess(1, len(self.server.processes()))
        self.server.terminate()
        self.server.wait()
        self.eventually(lambda: not self.server.processes())

    def assert_ends_after_the_last_answer(self, heard: str) -> None:
        """Assert the same, and that a request under way is answered.

        :param heard: what the program logs when it is asked to end
        """
        body = json.dumps(NOVNC).encode()
        server_id = self.make_server()
        head = (
            f"POST /v2.1/servers/{server_id}/remote-consoles HTTP/1.1\r\n"
            "Host: localhost\r\nContent-Type: application/json\r\n"
            "OpenStack-API-Version: compute 2.6\r\n"
            f"X-Auth-Token: user:{self.project}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(
            ("127.0.0.1", self.server.port), examples.TIMEOUT
        ) as connection:
            connection.sendall(head.encode() + body[:5])
            # Those that came before are taken before.
            self.client(None, prefix="").get("/")
            self.assertLess(1, len(self.server.processes()))
            self.server.terminate()
            self.eventually(lambda: heard in self.server.log)
            connection.sendall(body[5:])
            answer = connection.makefile("rb").readline()
        self.assertIn(b" 200 ", answer, self.server.log)
        self.server.wait()
        self.eventually(lambda: not self.server.processes())


class GunicornTest(ExampleTestCase):
    def start(self, port):
        self.configure()
        settings = examples.write(
            "gunicorn.conf.py", self.folder, {ADDRESS: f"127.0.0.1:{port}"}
        )
        unit = examples.write(
            "console-api.service",
            self.folder,
            {
                "/opt/console_api/etc/console_api/deploy": str(self.folder),
                "/opt/console_api/bin": str(settings.parent / "bin"),
            },
        )
        (self.folder / "bin").symlink_to(BIN)
        return Program(self.folder, examples.exec_start(unit), port)

    def test_gunicorn(self):
        token = self.use()
        self.hang_up_on(token)
        self.assert_ends_after_the_last_answer("Handling signal: term")
        self.assert_not_logged(token, "Traceback")


class UWSGITest(ExampleTestCase):
    def start(self, port):
        self.configure()
        settings = examples.write(
            "uwsgi.ini",
            self.folder,
            {ADDRESS: f"127.0.0.1:{port}", "/opt/console_api": sys.prefix},
        )
        arguments = [str(BIN / "uwsgi"), str(settings)]
        return Program(self.folder, arguments, port)

    def test_uwsgi(self):
        token = self.use()
        self.hang_up_on(token)
        # One that is still about to start does not hear that it is to end.
        workers = len(self.server.processes()) - 1
        self.eventually(lambda: self.server.log.count("WSGI app 0") == workers)
        self.assert_ends_after_the_last_answer("racefully")
        self.assert_not_logged(token, "write error")


class ApacheTest(ExampleTestCase):
    def start(self, port):
        apache = needed.program("apache2")
        if not MOD_WSGI.exists():
            needed.missing(f"There is no mod_wsgi for Python {PYTHON}.")
        self.configure()
        script = examples.write(
            "console_api.wsgi",
            self.folder,
            {"/etc/console_api": str(self.folder)},
        )
        host = examples.write(
            "apache.conf",
            self.folder,
            {
                ADDRESS: f"127.0.0.1:{port}",
                "user=console_api group=console_api": f"user={NOBODY}",
                "python-home=/opt/console_api": f"python-home={sys.prefix}",
                "/opt/console_api/etc/console_api/deploy": str(script.parent),
                "/var/log/apache2": str(self.folder),
            },
        )
        main = self.folder / "apache2.conf"
        main.write_text(
            MAIN_OF_APACHE.format(folder=self.folder, wsgi=MOD_WSGI, host=host)
        )
        arguments = [*AS_NOBODY, apache, "-f", str(main), "-DFOREGROUND"]
        return Program(self.folder, arguments, port)

    def test_apache(self):
        token = self.use()
        self.hang_up_on(token)
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.server.port, timeout=examples.TIMEOUT
        )
        self.addCleanup(connection.close)
        # No URL: two digits have to be behind the sign.
        connection.request("GET", f"/v2.1/os-console-auth-tokens/{token}%")
        self.assertEqual(400, connection.getresponse().status)
        self.assert_ends()
        self.assert_not_logged(token)


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
        self.assert_ends()
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
        arguments = [needed.program("nginx"), "-c", str(main)]
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
        arguments = [needed.program("haproxy"), "-W", "-f", str(settings)]
        return Program(self.folder, arguments, port)

    def test_haproxy(self):
        self.use_as_a_proxy()


class SystemdTest(base.DatabaseTestCase):
    """The units are ones that systemd takes, and lets do little."""

    backend = "sqlite"
    names = ("console-api.service", "console-api-agent.service")

    def setUp(self):
        super().setUp()
        self.analyze = needed.program("systemd-analyze")
        self.folder = configuration.temporary_folder()
        self.units = [
            examples.write(
                name, self.folder, {"/opt/console_api/bin": str(BIN)}
            )
            for name in self.names
        ]

    def test_what_systemd_says_of_the_units(self):
        for unit in self.units:
            # As exposed as 1.4 of 10, which is what the network makes it.
            for command in (
                ("verify", "--man=no"),
                ("security", "--offline=true", "--threshold=15"),
            ):
                with self.subTest(unit=unit.name, command=command[0]):
                    done = subprocess.run(
                        [self.analyze, *command, str(unit)],
                        check=False,
                        capture_output=True,
                        text=True,
                        timeout=examples.TIMEOUT,
                    )
                    self.assertEqual(0, done.returncode, done.stdout)
                    self.assertEqual("", done.stderr)

    def test_the_agent_starts_as_its_unit_says(self):
        database = configuration.migrated(self.backend)
        folder = agents.configure(database, f"console-{uuid.uuid4().hex}")
        agent = agents.Agent(folder, examples.exec_start(self.units[1]))
        self.assertEqual(0, agent.stop())
