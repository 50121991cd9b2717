# SPDX-License-Identifier: Apache-2.0
"""Real clients find the service in the catalog of a real Keystone."""

import functools
import json
import shlex
from typing import Any

import openstack
from keystoneauth1 import adapter
from openstack import exceptions, proxy, service_description

from console_api.tests.functional import (
    base,
    configuration,
    documentation,
    keystone,
    openstack_command,
    servers,
)

#: The URL of the service in the guide.
URL = "https://consoles.example.org"

UNKNOWN_TOKEN = "/os-console-auth-tokens/unknown"


class ConsoleDescription(service_description.ServiceDescription):
    """The service type, as a plugin of openstacksdk describes it."""

    supported_versions = {"2": proxy.Proxy}


@functools.cache
def cloud() -> tuple[keystone.Keystone, servers.Server]:
    """Return a Keystone, and a server in its catalog.

    The server is registered with the commands of the guide.
    """
    identity = keystone.Keystone()
    database = configuration.migrated("sqlite")
    server = servers.start(database, identity.options)
    [commands, *_] = documentation.blocks("admin/catalog", "shell")
    text = commands.replace("\\\n", "").replace(URL, server.url)
    for line in text.strip().splitlines():
        program, *arguments = shlex.split(line)
        assert program == "openstack", line
        run_command(identity, *arguments)
    return identity, server


def run_command(
    identity: keystone.Keystone,
    *arguments: str,
    compute: str = "compute",
    **more: Any,
) -> str:
    """Run the ``openstack`` command as the administrator.

    :param compute: the service type that is used for the compute API
    """
    variables = {
        f"OS_{name.upper()}": value
        for name, value in identity.credentials.items()
    }
    variables["OS_COMPUTE_SERVICE_TYPE"] = compute
    return openstack_command.call(variables, *arguments, **more)


@base.on_databases("sqlite")
class CatalogTests(base.FunctionalTestCase):
    def choose_server(self):
        self.keystone, server = cloud()
        return server

    def setUp(self):
        super().setUp()
        token = {"X-Auth-Token": self.keystone.admin_token}
        self.admin = self.server.client(headers=token)

    def connect(self, **options: Any) -> openstack.connection.Connection:
        """Connect with openstacksdk as the administrator."""
        connection = openstack.connect(
            load_yaml_config=False,
            load_envvars=False,
            **self.keystone.credentials,
            **options,
        )
        self.addCleanup(connection.close)
        return connection

    def test_command_lists_the_versions(self):
        printed = run_command(
            self.keystone,
            *("versions", "show", "--service", "console", "-f", "json"),
        )
        common = {"Region Name": "RegionOne", "Service Type": "console"}
        self.assertEqual(
            [
                {
                    **common,
                    "Version": "2.0",
                    "Status": "SUPPORTED",
                    "Endpoint": f"{self.server.url}/v2/",
                    "Min Microversion": None,
                    "Max Microversion": None,
                },
                {
                    **common,
                    "Version": "2.1",
                    "Status": "CURRENT",
                    "Endpoint": f"{self.server.url}/v2.1/",
                    "Min Microversion": "2.1",
                    "Max Microversion": "2.104",
                },
            ],
            json.loads(printed),
        )

    def test_keystoneauth_discovers_versions_and_microversions(self):
        session = self.connect().session
        for wanted in (None, "2", "2.1", "latest"):
            with self.subTest(wanted):
                client = adapter.Adapter(
                    session, service_type="console", version=wanted
                )
                found = client.get_endpoint_data()
                self.assertEqual(
                    ((2, 1), (2, 1), (2, 104)),
                    (
                        found.api_version,
                        found.min_microversion,
                        found.max_microversion,
                    ),
                )
                self.assertIn(f"{self.server.url}/v2.1", client.get_endpoint())

    def test_keystoneauth_selects_microversions(self):
        # Before 2.99, unknown parameters are ignored.
        path = f"{UNKNOWN_TOKEN}?unknown=1"
        for microversion, status, in_force in (
            (None, 404, "2.1"),
            ("2.98", 404, "2.98"),
            ("2.99", 400, "2.99"),
            ("latest", 400, "2.104"),
            ("2.105", 406, "2.105"),
        ):
            with self.subTest(microversion):
                client = adapter.Adapter(
                    self.connect().session,
                    service_type="console",
                    default_microversion=microversion,
                    raise_exc=False,
                )
                reply = client.get(path)
                self.assertEqual(status, reply.status_code)
                named = reply.headers["OpenStack-API-Version"].split(", ")
                self.assertIn(f"console {in_force}", named)

    def test_service_of_openstacksdk_finds_the_endpoint(self):
        connection = self.connect()
        connection.add_service(ConsoleDescription("console"))
        found = connection.console.get_endpoint_data()
        self.assertEqual((2, 104), found.max_microversion)
        reply = connection.console.get(UNKNOWN_TOKEN, microversion="2.99")
        self.assertEqual(
            "Token not found", reply.json()["itemNotFound"]["message"]
        )
        listed = connection.console.get("/os-console-hosts")
        self.assertEqual(200, listed.status_code)

    def test_compute_proxy_uses_the_service_type(self):
        """As a console proxy does that was written for Nova."""
        compute = self.connect(compute_service_type="console").compute
        server_id = self.make_server()
        console = compute.create_server_remote_console(
            server_id, protocol="spice", type="spice-direct"
        )
        info = compute.validate_console_auth_token(base.token_of(console.url))
        self.assertEqual(
            (server_id, 5902), (info.instance_uuid, info.tls_port)
        )

    def test_refusal_names_the_service_of_servers(self):
        message = (
            "the endpoint of the Compute service, the service type compute"
        )
        compute = self.connect(compute_service_type="console").compute
        with self.assertRaisesRegex(exceptions.NotFoundException, message):
            list(compute.servers())
        printed = run_command(
            self.keystone,
            *("console", "url", "show", self.make_server()),
            compute="console",
            status=1,
        )
        self.assertIn(message, printed)
