# SPDX-License-Identifier: Apache-2.0
import asyncio
import unittest

from console_api.gateway.displays import Displays, protocol_of
from console_api.net.dial import DialError, DialRefused
from console_api.rfb.handshake import VNC
from console_api.tests import certificates
from console_api.tests.unit.base import FolderCase, load_conf
from console_api.tests.unit.gateway.base import grant
from console_api.tests.unit.net.fake_display import FakeDisplay


class DisplaysTest(FolderCase, unittest.IsolatedAsyncioTestCase):
    def displays(self, **options: object) -> Displays:
        """Return displays with options of ``[vnc]``."""
        return Displays.from_conf(load_conf(self.folder, {"vnc": options}))

    async def open(
        self, displays: Displays, port: int, **values: object
    ) -> None:
        """Connect to a display, then close the connection."""
        stream = await displays.open(grant(port, **values))
        stream.close()
        await stream.over

    def test_protocols(self) -> None:
        self.assertEqual("vnc", protocol_of("novnc"))
        self.assertEqual("spice", protocol_of("spice-html5"))
        self.assertEqual("serial", protocol_of("serial"))
        for console_type in ("rdp-html5", "webmks", ""):
            self.assertIsNone(protocol_of(console_type))

    async def test_password_is_that_of_compute_host(self) -> None:
        displays = self.displays(endpoint_password="compute-* secret")
        async with FakeDisplay(types=[VNC]).serve() as display:
            await self.open(displays, display.port, console_type="novnc")
            self.assertEqual([VNC], display.chosen)
            with self.assertRaises(DialRefused):
                await self.open(
                    displays,
                    display.port,
                    console_type="novnc",
                    compute_host="other",
                )

    async def test_options_are_read_again(self) -> None:
        displays = self.displays()
        options = {"vnc": {"endpoint_password": "* secret"}}
        async with FakeDisplay(types=[VNC]).serve() as display:
            with self.assertRaises(DialRefused):
                await self.open(displays, display.port, console_type="novnc")
            displays.reload(load_conf(self.folder, options))
            await self.open(displays, display.port, console_type="novnc")

    async def test_tls_port_is_verified(self) -> None:
        authority = certificates.make(self.folder)
        display = FakeDisplay(authority=authority, is_tls=True)
        async with display.serve():
            for console_type in ("novnc", "serial"):
                values = {
                    "console_type": console_type,
                    "tls_port": display.port,
                }
                displays = self.displays(
                    endpoint_tls_ca_file=authority.ca_file
                )
                await self.open(displays, 1, **values)
                with self.assertRaisesRegex(DialError, "certificate"):
                    await self.open(self.displays(), 1, **values)

    async def test_path_is_requested(self) -> None:
        paths: list[bytes] = []

        async def serve(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            paths.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await reader.read()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.addCleanup(server.close)
        port = server.sockets[0].getsockname()[1]
        await self.open(self.displays(), port, internal_access_path="/path")
        self.assertTrue(paths[0].startswith(b"CONNECT /path HTTP/1.1\r\n"))
