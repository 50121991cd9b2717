# SPDX-License-Identifier: Apache-2.0
"""The gateway in front of real displays."""

from console_api.tests.functional import base, vnc_servers
from console_api.tests.functional.gateways import GatewayTestCase, subprotocols


@base.on_databases("sqlite")
class ScreenTests(GatewayTestCase):
    """Tests with TigerVNC."""

    def setUp(self):
        super().setUp()
        self.display = vnc_servers.xvnc()
        self.addCleanup(self.display.stop)

    def test_url_of_today_opens_screen(self):
        for path in ("/", "/websockify", "/vnc_auto.html", "/any/path"):
            with self.subTest(path):
                token = self.token_for(self.display.port)
                viewer = self.gateway.viewer(f"{path}?token={token}")
                self.addCleanup(viewer.socket.close)
                viewer.begin()
                self.assertEqual((320, 240), viewer.size)

    def test_exchanged_token_opens_screen_and_resumes(self):
        token = self.token_for(self.display.port)
        answer = self.gateway.exchange(token)
        self.assertEqual(200, answer.status, answer.body)
        self.assertEqual("no-store", answer.headers["Cache-Control"])
        self.assertIsNone(answer.headers["Set-Cookie"])
        console = answer.json
        key, secret = console.pop("console"), console.pop("secret")
        self.assertEqual(
            {
                "console_type": "novnc",
                "view_only": False,
                "exclusive": False,
                "resume_timeout": 120,
            },
            console,
        )
        for _ in range(3):
            viewer = self.gateway.viewer(
                f"/connect/{key}", subprotocols=subprotocols(secret)
            )
            self.assertEqual("binary", viewer.socket.websocket.subprotocol)
            viewer.begin()
            self.assertEqual((320, 240), viewer.size)
            viewer.socket.close()
        self.assert_not_logged(token, secret)


@base.on_databases("sqlite")
class ReloadTests(GatewayTestCase):
    def configure(self, text):
        """Replace or add a line of the configuration, and reload it."""
        file = self.gateway.folder / "console_api.conf"
        file.write_text(f"{file.read_text()}\n{text}\n")
        self.gateway.reload()

    def test_password_is_used_without_restart(self):
        display = vnc_servers.xvnc("s3cret")
        self.addCleanup(display.stop)

        def viewer():
            token = self.token_for(display.port)
            opened = self.gateway.viewer(f"/?token={token}")
            self.addCleanup(opened.socket.close)
            return opened

        self.assertEqual(4007, viewer().socket.wait_until_closed().code)
        self.configure("[vnc]\nendpoint_password = compute-* s3cret")
        self.eventually_logged("Reloaded the configuration.")
        kept = viewer()
        kept.begin()
        # What cannot be used changes nothing.
        self.configure("[vnc]\nendpoint_password = secret-of-a-test")
        self.eventually_logged("The configuration was not reloaded: ")
        viewer().begin()
        # A request of the first pixel, and the update with it.
        kept.send(b"\3\0\0\0\0\0\0\1\0\1")
        self.assertEqual(b"\0", kept.receive(1))
        self.assert_not_logged("s3cret", "secret-of-a-test")

    def connect(self, **headers):
        """Return the status of a request for a WebSocket."""
        return self.gateway.request(
            "GET",
            "/?token=a-guess",
            Connection="Upgrade",
            Upgrade="websocket",
            Sec_WebSocket_Version="13",
            Sec_WebSocket_Key="MDEyMzQ1Njc4OWFiY2RlZg==",
            **headers,
        ).status

    def test_origins_and_proxies_are_used_without_restart(self):
        dashboard = "https://dashboard.example.org"
        proxied = {
            "Origin": "https://console.example.org",
            "X_Forwarded_Proto": "https",
            "X_Forwarded_Host": "console.example.org",
        }
        self.assertEqual(403, self.connect(Origin=dashboard))
        self.configure(
            f"[gateway]\nallowed_origins = {dashboard}\n"
            f"frame_ancestors = {dashboard}"
        )
        self.eventually_logged("Reloaded the configuration.")
        self.assertEqual(101, self.connect(Origin=dashboard))
        page = self.gateway.request("GET", "/")
        self.assertIn(
            f"frame-ancestors 'self' {dashboard}",
            page.headers["Content-Security-Policy"],
        )
        self.assertEqual(403, self.connect(**proxied))
        self.configure("trusted_proxies = 127.0.0.0/8")
        self.eventually(lambda: self.connect(**proxied) == 101)
        # What cannot be used changes nothing.
        self.configure("allowed_origins = *\ntrusted_proxies =")
        self.eventually_logged("The configuration was not reloaded: ")
        self.assertEqual(101, self.connect(Origin=dashboard))
        self.assertEqual(101, self.connect(**proxied))
