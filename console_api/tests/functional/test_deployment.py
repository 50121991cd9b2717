# SPDX-License-Identifier: Apache-2.0
"""Serve the API with the examples of WSGI servers."""

import http.client
import os
import socket
import sys
from pathlib import Path

from console_api.tests import prerequisites
from console_api.tests.functional import documentation, examples
from console_api.tests.functional.example_base import ADDRESS, ExampleTestCase
from console_api.tests.functional.examples import Program
from console_api.tests.ports import free_port

BIN = Path(sys.executable).parent
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
MOD_WSGI = Path(f"/usr/lib/apache2/modules/mod_wsgi.so-{PYTHON}")

# A user without a home directory, like system users.
NOBODY = "nobody"

# mod_wsgi refuses to run as root, and other users may not be able to read
# root's files, so root appears as another user in a user namespace.
AS_NOBODY = [] if os.geteuid() else ["unshare", "--user", "--map-user", NOBODY]

MAIN_OF_APACHE = """\
ServerRoot {folder}
ServerName localhost
PidFile {folder}/apache2.pid
ErrorLog {folder}/error.log
WSGISocketPrefix {folder}/wsgi
LoadModule mpm_event_module {wsgi.parent}/mod_mpm_event.so
LoadModule authz_core_module {wsgi.parent}/mod_authz_core.so
LoadModule authz_host_module {wsgi.parent}/mod_authz_host.so
LoadModule reqtimeout_module {wsgi.parent}/mod_reqtimeout.so
LoadModule wsgi_module {wsgi}
Include {host}
"""


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
        # At this level, it logs the URL of each request.
        arguments = [*examples.exec_start(unit), "--log-level", "debug"]
        return Program(self.folder, arguments, port)

    def test_gunicorn_example_serves_api(self):
        token = self.use()
        self.assertIn("GET /v2.1/os-console-auth-tokens/***", self.server.log)
        self.hang_up_on(token)
        self.send_malformed(token)
        self.assert_drains("Handling signal: term")
        self.assert_not_logged(token, "Traceback")

    def test_worker_that_dies_while_policy_is_broken_is_replaced(self):
        self.assert_workers_survive_broken_policy()

    def send_malformed(self, token):
        """Send requests that are logged because they are malformed."""
        for line in (
            f"GET /v2.1/os-console-auth-tokens/{token} HTTP/9.9",
            f"GET /v2.1/os-console-auth-tokens/{token}",
            f"GET /v2.1/{token}/ {token} HTTP/1.1",
        ):
            with socket.create_connection(
                ("127.0.0.1", self.server.port), examples.TIMEOUT
            ) as connection:
                connection.sendall(f"{line}\r\n\r\n".encode())
                answer = connection.makefile("rb").readline()
            self.assertIn(b" 400 ", answer)
        self.eventually(lambda: self.server.log.count("Invalid") >= 3)


class UWSGITest(ExampleTestCase):
    def start(self, port):
        self.configure()
        settings = examples.write(
            "uwsgi.ini",
            self.folder,
            {ADDRESS: f"127.0.0.1:{port}", "/opt/console_api": sys.prefix},
        )
        arguments = [str(BIN / "uwsgi"), str(settings)]
        # As systemd does.
        runtime = self.folder / "run"
        runtime.mkdir(mode=0o700)
        return Program(
            self.folder, arguments, port, {"RUNTIME_DIRECTORY": str(runtime)}
        )

    def test_uwsgi_example_serves_api(self):
        token = self.use()
        self.hang_up_on(token)
        # A worker that is still starting would miss SIGTERM.
        workers = len(self.server.processes()) - 1
        self.eventually(lambda: self.server.log.count("WSGI app 0") == workers)
        self.assert_drains("racefully")
        self.assert_not_logged(token, "write error")

    def test_worker_that_dies_while_policy_is_broken_is_replaced(self):
        self.assert_workers_survive_broken_policy()


class ApacheTest(ExampleTestCase):
    def start(self, port, addition=""):
        apache = prerequisites.find_program("apache2")
        if not MOD_WSGI.exists():
            prerequisites.skip(f"There is no mod_wsgi for Python {PYTHON}.")
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
                "</VirtualHost>": f"{addition}</VirtualHost>",
            },
        )
        main = self.folder / "apache2.conf"
        main.write_text(
            MAIN_OF_APACHE.format(folder=self.folder, wsgi=MOD_WSGI, host=host)
        )
        arguments = [*AS_NOBODY, apache, "-f", str(main), "-DFOREGROUND"]
        # stevedore would create the home directory that does not exist.
        cache = {"XDG_CACHE_HOME": str(self.folder)}
        return Program(self.folder, arguments, port, cache)

    def test_documented_location_restricts_metrics(self):
        [location] = documentation.blocks("admin/monitoring", "apache")
        # The metrics themselves need a Python that has been built like the
        # one of mod_wsgi.
        location = location.replace("/metrics", "/healthcheck")
        for address, statuses in (
            ("127.0.0.1", {200}),
            ("192.0.2.1", {403}),
        ):
            self.server.kill()
            self.server = self.start(
                free_port(), location.replace("127.0.0.1", address)
            )
            self.addCleanup(self.server.kill)
            found = set()
            for path in ("/healthcheck", "/healthcheck/", "/%68ealthcheck"):
                connection = http.client.HTTPConnection(
                    "127.0.0.1", self.server.port, timeout=examples.TIMEOUT
                )
                self.addCleanup(connection.close)
                connection.request("GET", path)
                found.add(connection.getresponse().status)
            with self.subTest(address):
                self.assertEqual(statuses, found)

    def test_apache_example_serves_api(self):
        token = self.use()
        self.hang_up_on(token)
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.server.port, timeout=examples.TIMEOUT
        )
        self.addCleanup(connection.close)
        # Invalid: two digits must follow the percent sign.
        connection.request("GET", f"/v2.1/os-console-auth-tokens/{token}%")
        self.assertEqual(400, connection.getresponse().status)
        self.assert_terminates()
        self.assert_not_logged(token)
