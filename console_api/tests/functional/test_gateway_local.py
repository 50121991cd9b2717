# SPDX-License-Identifier: Apache-2.0
"""The gateway beside a real Nova and a real Keystone, without the API."""

from console_api.tests.functional import base, gateways, vnc_servers
from console_api.tests.functional.gateways import subprotocols
from console_api.tests.functional.nova_base import NovaServerTestCase
from console_api.tests.ports import free_port


@base.on_databases("sqlite")
class LocalTests(NovaServerTestCase):
    """Tests with Nova's own tokens, and a screen of TigerVNC."""

    def setUp(self):
        super().setUp()
        self.display = vnc_servers.xvnc()
        self.addCleanup(self.display.stop)
        self.nova.set_display(self.server_id, self.display.port)

    def start_gateway(self, **options: str) -> gateways.Gateway:
        gateway = gateways.start(
            self.server,
            {
                "gateway": {"sessions": "local", **options},
                "nova": self.keystone.credentials,
            },
        )
        self.addCleanup(gateway.kill)
        return gateway

    def token_of_nova(self) -> str:
        """Request a console from Nova, as a member of the project."""
        reply = self.nova.api.client().request(
            "POST",
            f"/servers/{self.server_id}/remote-consoles",
            headers={"X-Auth-Token": self.token},
            body={"remote_console": {"protocol": "vnc", "type": "novnc"}},
            version="2.6",
        )
        self.assertEqual(200, reply.status, reply.body)
        return base.token_of(reply.json["remote_console"]["url"])

    def assert_refused(self, gateway: gateways.Gateway, token: str) -> None:
        answer = gateway.exchange(token)
        self.assertEqual(404, answer.status, answer.body)
        self.assertEqual("invalid_token", answer.json["reason"])

    def test_token_of_nova_opens_screen(self):
        gateway = self.start_gateway()
        token = self.token_of_nova()
        viewer = gateway.viewer(f"/?token={token}")
        self.addCleanup(viewer.socket.close)
        viewer.begin()
        self.assertEqual((320, 240), viewer.size)
        self.assertIn(f"server_id={self.server_id}", gateway.log)
        self.assertIn(f"project_id={self.project}", gateway.log)
        self.assertNotIn(token, gateway.log)

    def test_exchanged_token_opens_screen_again_and_again(self):
        gateway = self.start_gateway()
        token = self.token_of_nova()
        answer = gateway.exchange(token)
        self.assertEqual(200, answer.status, answer.body)
        console = answer.json
        self.assertEqual("novnc", console["console_type"])
        for _ in range(2):
            viewer = gateway.viewer(
                f"/connect/{console['console']}",
                subprotocols=subprotocols(console["secret"]),
            )
            viewer.begin()
            self.assertEqual((320, 240), viewer.size)
            viewer.socket.close()

    def test_port_that_belongs_to_another_server_is_refused(self):
        gateway = self.start_gateway()
        token = self.token_of_nova()
        self.assertEqual(200, gateway.exchange(token).status)
        # A restart gives the server another port.
        other = free_port()
        self.nova.set_display(self.server_id, other)
        self.assert_refused(gateway, token)
        self.assertIn("does not confirm", gateway.log)

    def test_deleted_server_and_unknown_tokens_are_refused(self):
        gateway = self.start_gateway()
        self.assert_refused(gateway, "unknown")
        self.assert_refused(gateway, "../servers/detail")
        token = self.token_of_nova()
        self.nova.delete_server(self.server_id)
        self.assert_refused(gateway, token)

    def test_gateway_can_be_view_only(self):
        gateway = self.start_gateway(view_only="true")
        token = self.token_of_nova()
        answer = gateway.exchange(token)
        self.assertEqual(200, answer.status, gateway.log)
        self.assertTrue(answer.json["view_only"])
