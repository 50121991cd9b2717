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
