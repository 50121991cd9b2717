# SPDX-License-Identifier: Apache-2.0
"""The unmodified openstacksdk against a running server."""

import openstack
from openstack import exceptions

from console_api.tests.functional import base


@base.on_each_database
class OpenStackSDKTests(base.FunctionalTestCase):
    def connect(self, user, prefix="/v2.1"):
        """Return the compute proxy for an endpoint."""
        connection = openstack.connect(
            auth_type="admin_token",
            auth={
                "endpoint": f"{self.server.url}{prefix}",
                "token": f"{user}:{self.project}",
            },
            load_yaml_config=False,
            load_envvars=False,
        )
        self.addCleanup(connection.close)
        return connection.compute

    def test_remote_console_is_created_and_its_token_validated(self):
        server_id = self.make_server()
        for prefix in ("/v2.1", "/v2.1/", f"/v2.1/{self.project}"):
            with self.subTest(prefix):
                console = self.connect(
                    "user", prefix
                ).create_server_remote_console(
                    server_id, protocol="vnc", type="novnc"
                )
                self.assertEqual("vnc", console.protocol)
                self.assertEqual("novnc", console.type)
                info = self.connect("admin").validate_console_auth_token(
                    base.token_of(console.url)
                )
                self.assertEqual(server_id, info.instance_uuid)
                self.assertEqual("192.0.2.10", info.host)
                self.assertEqual(5900, info.port)
                self.assertIsNone(info.internal_access_path)

    def test_all_console_types_are_created(self):
        server_id = self.make_server()
        compute = self.connect("user")
        for protocol, console_type in (
            ("vnc", "xvpvnc"),
            ("spice", "spice-html5"),
            ("spice", "spice-direct"),
            ("rdp", "rdp-html5"),
            ("serial", "serial"),
            ("mks", "webmks"),
        ):
            with self.subTest(console_type):
                console = compute.create_server_remote_console(
                    server_id, protocol=protocol, type=console_type
                )
                self.assertTrue(base.token_of(console.url))

    def test_tls_port_of_spice_direct_is_returned(self):
        token = self.issue_token(self.make_server(), "spice", "spice-direct")
        info = self.connect("admin").validate_console_auth_token(token)
        self.assertEqual(5902, info.tls_port)

    def test_legacy_action_creates_a_console(self):
        server_id = self.make_server()
        compute = self.connect("user")
        compute.default_microversion = "2.1"
        console = compute.create_console(server_id, console_type="novnc")
        self.assertEqual("novnc", console["type"])
        self.assertTrue(base.token_of(console["url"]))

    def test_faults_raise_exceptions_with_their_messages(self):
        compute = self.connect("admin")
        with self.assertRaises(exceptions.NotFoundException) as caught:
            compute.validate_console_auth_token("unknown")
        self.assertIn("Token not found", str(caught.exception))
        with self.assertRaises(exceptions.ForbiddenException) as caught:
            self.connect("user").validate_console_auth_token("unknown")
        self.assertIn("Policy doesn't allow", str(caught.exception))
        with self.assertRaises(exceptions.BadRequestException) as caught:
            compute.create_server_remote_console(
                self.make_server(), protocol="vnc", type="serial"
            )
        self.assertIn("Invalid console type serial", str(caught.exception))
