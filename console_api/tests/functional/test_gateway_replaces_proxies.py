# SPDX-License-Identifier: Apache-2.0
"""The guide "Replace Nova's proxies", with a real Nova."""

import base64
import configparser
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, urlsplit

from console_api.cmd.quickstart import sample_server
from console_api.tests import ports
from console_api.tests.functional import (
    base,
    configuration,
    documentation,
    gateways,
    guests,
    spice_client,
)
from console_api.tests.functional.nova_base import CloudTestCase
from console_api.tests.functional.spice_client import SpiceChannel


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

    def read_guide(self, number: int) -> configparser.ConfigParser:
        """Return a configuration in the guide.

        :param number: 0 is that of the gateway, 1 that of compute hosts
        """
        text = documentation.blocks("admin/replace-proxies", "ini")[number]
        guide = configparser.ConfigParser()
        guide.read_string(text)
        return guide

    def configure(self) -> tuple[Path, int]:
        """Write the guide's configuration, with values of this cloud."""
        user, password = self.keystone.make_user(self.project, "admin")
        port = int(ports.free_range(2).partition("-")[0])
        guide = self.read_guide(0)
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

    def open_of_compute_host(
        self, group: str, option: str, port: int, kind: str
    ) -> SplitResult:
        """Return the URL of a console, with an option in the guide."""
        value = self.read_guide(1)[group][option]
        base_url = value.replace(
            "consoles.example.org:6080", f"127.0.0.1:{self.gateway.port}"
        )
        self.nova.set_display(self.server_id, port, base_url, kind)
        protocol = kind.partition("-")[0]
        return urlsplit(self.open_remote_console(protocol, kind))

    def test_urls_of_serial_and_spice_consoles_open_them(self):
        guest = guests.Guest(spice=True)
        self.addCleanup(guest.stop)
        url = self.open_of_compute_host(
            "spice", "html5proxy_base_url", guest.port, "spice-html5"
        )
        page = self.gateway.request("GET", f"{url.path}?{url.query}")
        self.assertEqual(200, page.status)
        # What spice-html5 does.
        stream = self.gateway.connect(
            "/websockify", cookie=url.query, subprotocols=["binary"]
        )
        self.addCleanup(stream.close)
        main = SpiceChannel(stream)
        main.link(0, spice_client.MAIN)
        main.wait_for(spice_client.MSG_INIT)
        url = self.open_of_compute_host(
            "serial_console", "base_url", guest.serial_port, "serial"
        )
        self.assertEqual("ws", url.scheme)
        # What Horizon's page does.
        stream = self.gateway.connect(
            f"{url.path}?{url.query}",
            subprotocols=["binary", "base64"],
            suppress_origin=False,
            origin="http://dashboard.example.org",
        )
        self.addCleanup(stream.close)
        stream.sendall(b"\r")
        self.assertEqual(b"\r", stream.recv(1))

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
