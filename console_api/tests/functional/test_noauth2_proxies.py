# SPDX-License-Identifier: Apache-2.0
"""The pipeline without authentication behind proxies that hide themselves."""

import uuid

from console_api.tests import prerequisites
from console_api.tests.functional import base, configuration, nginx
from console_api.tests.functional.examples import Program
from console_api.tests.ports import free_port

NGINX = """\
access_log off;
server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{api}; }}
}}
"""

HAPROXY = """\
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
listen api
    bind 127.0.0.1:{port}
    server api 127.0.0.1:{api}
"""


@base.on_databases("sqlite")
class BareProxyTests(base.FunctionalTestCase):
    """Proxies that add no headers, on the machine of the service."""

    def setUp(self):
        super().setUp()
        self.folder = configuration.temporary_folder()
        self.port = free_port()

    def settings(self, text: str) -> str:
        return text.format(port=self.port, api=self.server.port)

    def check(self, arguments: list[str]) -> None:
        """Check that requests through a proxy are refused."""
        proxy = Program(self.folder, arguments, self.port)
        self.addCleanup(proxy.kill)
        client = proxy.client(user="admin", project=self.project)
        for host in ("localhost", f"localhost:{self.port}", "api.example.org"):
            with self.subTest(host):
                reply = client.get(
                    f"/servers/{uuid.uuid4()}/consoles",
                    headers={"Host": host},
                )
                self.assert_fault(reply, 403)
                self.assertIn("allow_remote", reply.message)
        self.assertEqual(200, client.get("/", prefix="").status)

    def test_nginx_with_proxy_pass_alone_is_refused(self):
        program = prerequisites.find_program("nginx")
        path = nginx.write(self.folder, self.settings(NGINX))
        self.check([program, "-e", "stderr", "-c", str(path)])

    def test_haproxy_is_refused_whatever_host_clients_name(self):
        haproxy = prerequisites.find_program("haproxy")
        path = self.folder / "proxy.conf"
        path.write_text(self.settings(HAPROXY))
        self.check([haproxy, "-W", "-f", str(path)])
