# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.directory.base import Endpoint, Server
from console_api.directory.libvirt.domain import server_from_xml
from console_api.tests.unit import base
from console_api.tests.unit.base import SERVER
from console_api.tests.unit.directory.libvirt.domains import (
    METADATA,
    domain,
    graphics,
)

SERIAL = (
    '<serial type="tcp"><source mode="bind" host="192.0.2.10" '
    'service="{}"/></serial>'
)


class ServerTest(unittest.TestCase):
    def test_server_from_nova_metadata(self) -> None:
        self.assertEqual(
            Server(
                uuid=SERVER,
                project_id=base.PROJECT,
                name="mail",
                instance_name="instance-00000001",
                compute_host="c1",
            ),
            server_from_xml(domain(), "c1"),
        )

    def test_minor_versions_of_metadata_are_accepted(self) -> None:
        for version in ("1.0", "1.1", "1.12"):
            xml = domain(
                metadata=METADATA.replace("nova/1.1", f"nova/{version}")
            )
            self.assertIsNotNone(server_from_xml(xml, "c1"))

    def test_domain_without_metadata_is_none(self) -> None:
        for metadata in (
            "",
            "<metadata/>",
            '<metadata><x:instance xmlns:x="http://example.org/"/></metadata>',
        ):
            xml = domain(metadata=metadata)
            self.assertIsNone(server_from_xml(xml, "c1"))

    def test_invalid_domain_raises_value_error(self) -> None:
        for xml in (
            "",
            "<domain>",
            domain().replace("nova:project", "nova:projekt"),
            domain().replace(base.PROJECT, ""),
            domain().replace("nova/1.1", "nova/2.0"),
            domain().replace("nova/1.1", "nova/1.x"),
            domain().replace("<nova:name>mail</nova:name>", ""),
            domain().replace("<name>instance-00000001</name>", ""),
            domain(graphics("vnc", 'port="x"')),
            domain(graphics("vnc", 'port="65536"')),
            domain(graphics("vnc", 'port="-2"')),
        ):
            with self.subTest(xml), self.assertRaises(ValueError):
                server_from_xml(xml, "c1")


class EndpointTest(unittest.TestCase):
    def endpoints(self, devices: str) -> object:
        server = server_from_xml(domain(devices), "c1")
        assert server is not None
        return server.endpoints

    def test_devices_become_endpoints(self) -> None:
        for devices, expected in (
            (
                graphics("vnc", 'port="5900"'),
                {"vnc": Endpoint("192.0.2.10", 5900)},
            ),
            (
                graphics("spice", 'port="5900" tlsPort="5901"'),
                {"spice": Endpoint("192.0.2.10", 5900, 5901)},
            ),
            (
                graphics("spice", 'port="-1" tlsPort="5901"'),
                {"spice": Endpoint("192.0.2.10", 5901, 5901)},
            ),
            (
                graphics("rdp", 'port="3389"'),
                {"rdp": Endpoint("192.0.2.10", 3389)},
            ),
            (
                SERIAL.format(10000) + SERIAL.format(10001),
                {"serial": Endpoint("192.0.2.10", 10000)},
            ),
        ):
            with self.subTest(devices):
                self.assertEqual(expected, self.endpoints(devices))

    def test_unspecified_address_becomes_compute_host(self) -> None:
        for listen in ("0.0.0.0", "::", "::ffff:0.0.0.0"):
            self.assertEqual(
                {"vnc": Endpoint("c1", 5900)},
                self.endpoints(graphics("vnc", 'port="5900"', listen)),
            )

    def test_loopback_address_is_no_endpoint(self) -> None:
        for devices in (
            graphics("vnc", 'port="5900"', "127.0.0.1"),
            graphics("vnc", 'port="5900"', "::1"),
            graphics("vnc", 'port="5900"', "[::1]"),
            graphics("vnc", 'port="5900"', "::ffff:127.0.0.1"),
            graphics("vnc", 'port="5900"', "localhost"),
            graphics("vnc", 'port="5900"', "ip6-localhost"),
            graphics("vnc", 'port="5900"', "Localhost.localdomain."),
            SERIAL.format(10000).replace("192.0.2.10", "localhost"),
            graphics("vnc", 'port="-1" autoport="yes"'),
            graphics("vnc", 'autoport="yes"'),
            graphics("sdl", 'port="5900"'),
            '<graphics type="vnc" socket="/run/vnc"/>',
            '<serial type="pty"/>',
            '<serial type="tcp"><source mode="connect" host="192.0.2.10" '
            'service="1"/></serial>',
        ):
            with self.subTest(devices):
                self.assertEqual({}, self.endpoints(devices))
