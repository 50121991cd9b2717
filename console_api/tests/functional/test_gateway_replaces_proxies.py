# SPDX-License-Identifier: Apache-2.0
"""The guide "Replace Nova's proxies", with a real Nova."""

import base64
import configparser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from console_api.cmd.quickstart import sample_server
from console_api.tests import ports
from console_api.tests.functional import (
    base,
    configuration,
    documentation,
    gateways,
)
from console_api.tests.functional.nova_base import CloudTestCase


class ReplaceProxiesTest(CloudTestCase):
    """Nova issues the tokens; no console API runs."""

    backend = "sqlite"

    def choose_server(self):
        return self.nova.api

    def setUp(self):
        super().setUp()
        self.project = self.keystone.make_project()
        self.server_id = self.nova.make_server(self.project)
        folder, port = self.configure()
        self.gateway = gateways.Gateway(folder, port=port)
        self.addCleanup(self.gateway.kill)

    def configure(self) -> tuple[Path, int]:
        """Write the guide's configuration, with values of this cloud."""
        user, password = self.keystone.make_user(self.project, "admin")
        port = int(ports.free_range(2).partition("-")[0])
        [text] = documentation.blocks("admin/replace-proxies", "ini")[:1]
        guide = configparser.ConfigParser()
        guide.read_string(text)
        changes = {
            "gateway": {"port": str(port), "monitoring_port": str(port + 1)},
            "nova": {
                "auth_url": self.keystone.url,
                "username": user,
                "password": password,
                "project_name": "",
            },
        }
        options = {
            name: dict(guide[name]) | changes.get(name, {})
            for name in guide.sections()
        }
        # The service project of these tests has an ID instead.
        options["nova"] |= {"project_id": self.project}
        del options["nova"]["project_name"]
        folder = configuration.temporary_folder()
        return configuration.write(folder, None, options), port

    def open_remote_console(self, protocol: str, kind: str) -> str:
        """Return the URL of a remote console that a member gets of Nova."""
        member = self.keystone.make_token(self.project, "member")
        reply = self.nova.api.client().request(
            "POST",
            f"/servers/{self.server_id}/remote-consoles",
            body={"remote_console": {"protocol": protocol, "type": kind}},
            headers={"X-Auth-Token": member},
            version="2.6",
        )
        self.assertEqual(200, reply.status, reply.body)
        return reply.json["remote_console"]["url"]

    def test_url_of_nova_opens_the_screen(self):
        with sample_server.running("127.0.0.1") as displays:
            self.nova.set_display(
                self.server_id,
                displays["vnc"],
                f"{self.gateway.url}/vnc_auto.html",
            )
            url = urlsplit(self.open_remote_console("vnc", "novnc"))
            page = self.gateway.request("GET", f"{url.path}?{url.query}")
            self.assertEqual(200, page.status)
            self.assertIn("text/html", page.headers["Content-Type"])
            # What noVNC and our page do.
            [path] = parse_qs(url.query)["path"]
            self.assert_shows_screen(f"/{path}")
            token = base.token_of(url.geturl())
            answer = self.gateway.exchange(token).json
            secret = answer["secret"].encode()
            encoded = base64.urlsafe_b64encode(secret).decode().rstrip("=")
            self.assert_shows_screen(
                f"/connect/{answer['console']}",
                subprotocols=["binary", f"console.{encoded}"],
            )
            self.assertNotIn(token, self.gateway.log)

    def assert_shows_screen(self, path: str, **options) -> None:
        with self.gateway.viewer(path, **options) as viewer:
            self.assertIn("test picture", viewer.begin())
            self.assertEqual((320, 240), viewer.size)

    def test_deleted_server_is_refused(self):
        with sample_server.running("127.0.0.1") as displays:
            self.nova.set_display(
                self.server_id, displays["vnc"], self.gateway.url
            )
            url = self.open_remote_console("vnc", "novnc")
            self.nova.delete_server(self.server_id)
            path = f"/?token={base.token_of(url)}"
            closed = self.gateway.connect(path).wait_until_closed()
            self.assertEqual(4009, closed.code)
