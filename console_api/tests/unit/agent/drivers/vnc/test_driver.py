# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api import errors
from console_api.agent import drivers
from console_api.agent.drivers.base import Console, Driver
from console_api.agent.drivers.vnc.driver import VNCDriver
from console_api.directory.base import Directory, Server
from console_api.tests.unit import base
from console_api.tests.unit.agent.drivers.contract import DriverContract


class NoDirectory(Directory):
    """Knows no server."""

    @classmethod
    def from_conf(cls, conf: object, database: object) -> "NoDirectory":
        return cls()

    def get(self, server_id: str) -> Server:
        raise errors.ServerNotFound(server_id)


class VNCContractTest(
    DriverContract, base.FolderCase, unittest.IsolatedAsyncioTestCase
):
    def make_driver(self) -> Driver:
        options = {"vnc": {"listen_address": "127.0.0.1"}}
        conf = base.load_conf(self.folder, options)
        return VNCDriver.from_conf(conf, NoDirectory())


class FindTest(base.FolderCase):
    def test_the_drivers_are_found_by_name(self) -> None:
        self.assertIs(VNCDriver, drivers.find("vnc"))

    def test_an_unknown_one_is_named(self) -> None:
        with self.assertRaisesRegex(errors.ConfigurationError, "'none'"):
            drivers.find("none")


class PortTest(base.FolderCase, unittest.IsolatedAsyncioTestCase):
    async def test_a_console_without_a_port_is_reported(self) -> None:
        conf = base.load_conf(self.folder)
        driver = VNCDriver.from_conf(conf, NoDirectory())
        console = Console(1, "u", "i", "c", None, "pAsSw0rd")
        failed = await driver.apply({1: console})
        self.assertIn("needs a port", failed[1])
