# SPDX-License-Identifier: Apache-2.0
import socket
import unittest

from console_api import errors
from console_api.agent import drivers
from console_api.agent.drivers.base import Console
from console_api.agent.drivers.vnc.driver import VNCDriver
from console_api.directory.base import Directory, Server
from console_api.tests.ports import free_ports, is_free
from console_api.tests.unit import base
from console_api.tests.unit.agent.drivers.contract import DriverContract
from console_api.tests.unit.agent.drivers.vnc.base import Viewer


class EmptyDirectory(Directory):
    """A directory without servers."""

    @classmethod
    def from_conf(cls, conf: object, database: object) -> "EmptyDirectory":
        return cls()

    def get(self, server_id: str) -> Server:
        raise errors.ServerNotFound(server_id)


class VNCDriverTest(
    DriverContract, base.FolderCase, unittest.IsolatedAsyncioTestCase
):
    def make_driver(self) -> VNCDriver:
        options = {"vnc": {"listen_address": "127.0.0.1"}}
        conf = base.load_conf(self.folder, options)
        return VNCDriver.from_conf(conf, EmptyDirectory())

    async def test_console_without_port_is_reported(self) -> None:
        console = Console(1, "u", "i", "c", None, "pAsSw0rd")
        failed = await self.driver.apply({1: console})
        self.assertIn("needs a port", failed[1])


class HandoverTest(base.FolderCase, unittest.IsolatedAsyncioTestCase):
    """Two drivers in one process, as in an agent and its successor."""

    def setUp(self) -> None:
        super().setUp()
        self.consoles = {
            number: Console(number, "u", "i", "c", port, "pAsSw0rd")
            for number, port in enumerate(free_ports(2), 1)
        }

    async def make_driver(self, address: str = "127.0.0.1") -> VNCDriver:
        options = {"vnc": {"listen_address": address}}
        conf = base.load_conf(self.folder, options)
        driver = VNCDriver.from_conf(conf, EmptyDirectory())
        self.addAsyncCleanup(driver.close)
        return driver

    async def start(self) -> VNCDriver:
        """Create a driver that serves the consoles."""
        driver = await self.make_driver()
        await driver.start()
        self.assertEqual({}, await driver.apply(self.consoles))
        return driver

    async def hand_over(
        self, old: VNCDriver, address: str = "127.0.0.1"
    ) -> VNCDriver:
        """Have a successor serve the consoles of a paused driver."""
        new = await self.make_driver(address)
        sockets = [one.dup() for one in await old.pause()]
        for one in sockets:
            self.addCleanup(one.close)
        await new.start(sockets)
        self.assertEqual({}, await new.apply(self.consoles))
        return new

    async def connect(self, number: int) -> Viewer:
        viewer = await Viewer.connect(self.consoles[number].port or 0)
        self.addCleanup(viewer.close)
        return viewer

    async def test_viewers_continue_and_new_ones_reach_successor(self) -> None:
        old = await self.start()
        first = await self.connect(1)
        await first.receive(12)
        await old.pause()
        waiting = await self.connect(1)
        new = await self.hand_over(old)
        await old.release()
        await waiting.receive(12)
        first.send(b"RFB 003.008\n")
        await first.receive(2)
        self.assertEqual((1, 1), (old.session_count, new.session_count))

    async def test_released_driver_ends_sessions_of_deleted_console(
        self,
    ) -> None:
        old = await self.start()
        one, two = await self.connect(1), await self.connect(2)
        await one.receive(12)
        await two.receive(12)
        await self.hand_over(old)
        await old.release()
        await old.apply({2: self.consoles[2]})
        self.assertEqual(b"", await one.receive_rest())
        self.assertEqual(1, old.session_count)
        await old.apply(self.consoles)
        await old.close()
        self.assertEqual(b"", await two.receive_rest())
        await (await self.connect(1)).receive(12)

    async def test_resume_after_successor_failed(self) -> None:
        old = await self.start()
        new = await self.hand_over(old)
        await new.close()
        await old.resume()
        await (await self.connect(1)).receive(12)

    async def test_changed_address_gets_new_sockets(self) -> None:
        old = await self.start()
        new = await self.hand_over(old, "127.0.0.2")
        port = self.consoles[1].port or 0
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        socket.create_connection(("127.0.0.2", port)).close()
        await new.close()
        await old.resume()
        await (await self.connect(1)).receive(12)

    async def test_missing_address_leaves_sockets_alone(self) -> None:
        old = await self.start()
        # An address of a network for documentation.
        with self.assertRaisesRegex(errors.ConfigurationError, "assign"):
            await self.hand_over(old, "192.0.2.1")
        viewer = await self.connect(1)
        await old.resume()
        await viewer.receive(12)

    async def test_port_of_deleted_console_is_closed(self) -> None:
        old = await self.start()
        deleted = self.consoles.pop(2)
        await self.hand_over(old)
        await old.release()
        self.assertTrue(is_free(deleted.port or 0))


class FindTest(base.FolderCase):
    def test_driver_is_found_by_name(self) -> None:
        self.assertIs(VNCDriver, drivers.find("vnc"))

    def test_unknown_driver_is_an_error(self) -> None:
        with self.assertRaisesRegex(errors.ConfigurationError, "'none'"):
            drivers.find("none")
