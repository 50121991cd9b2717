# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api import errors
from console_api.agent import drivers
from console_api.agent.drivers.base import Console
from console_api.agent.drivers.vnc.driver import VNCDriver
from console_api.directory.base import Directory, Server
from console_api.tests.unit import base
from console_api.tests.unit.agent.drivers.contract import DriverContract


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


class FindTest(base.FolderCase):
    def test_driver_is_found_by_name(self) -> None:
        self.assertIs(VNCDriver, drivers.find("vnc"))

    def test_unknown_driver_is_an_error(self) -> None:
        with self.assertRaisesRegex(errors.ConfigurationError, "'none'"):
            drivers.find("none")
