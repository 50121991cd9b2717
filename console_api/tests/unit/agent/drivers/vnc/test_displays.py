# SPDX-License-Identifier: Apache-2.0
import asyncio
import ssl
import threading
import unittest
from typing import Any

from console_api.agent.drivers.vnc.displays import Displays
from console_api.directory.base import Directory, Endpoint, Server
from console_api.net.dial import DialError
from console_api.tests.ports import free_port
from console_api.tests.unit.base import SERVER, server_id
from console_api.tests.unit.directory.nova import fake_nova
from console_api.tests.unit.directory.nova.test_directory import NovaCase

# Closed, so that dialling fails at once.
_PORT = free_port()


class SlowDirectory(Directory):
    """Has every server, but hangs for the one with the id ``slow``."""

    def __init__(self) -> None:
        self.is_released = threading.Event()

    @classmethod
    def from_conf(cls, conf: object, database: object) -> "SlowDirectory":
        raise NotImplementedError

    def get(self, server_id: str) -> Server:
        if server_id == "slow":
            self.is_released.wait()
        endpoints = {"vnc": Endpoint("127.0.0.1", _PORT)}
        return Server(server_id, "p", "n", "i", "compute-1", endpoints)


class OpenTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = SlowDirectory()
        self.addCleanup(self.directory.is_released.set)

    def displays(self, connect_timeout: float) -> Displays:
        tls = ssl.create_default_context()
        return Displays(self.directory, [], tls, connect_timeout)

    async def test_slow_look_ups_do_not_delay_others(self) -> None:
        displays = self.displays(10)
        # The default maximum of sessions of two consoles.
        slow = [asyncio.create_task(displays.open("slow")) for _ in range(20)]
        await asyncio.sleep(0)
        with self.assertRaisesRegex(DialError, "Connection refused"):
            await displays.open("good")
        self.directory.is_released.set()
        await asyncio.gather(*slow, return_exceptions=True)

    async def test_slow_look_up_is_a_timeout(self) -> None:
        with self.assertRaisesRegex(DialError, "directory did not answer"):
            await self.displays(0.01).open("slow")


class HungComputeHostTest(NovaCase, unittest.IsolatedAsyncioTestCase):
    def make_directory(self, *args: Any, **options: Any) -> Any:
        return super().make_directory(*args, timeout=60, **options)

    async def test_hung_compute_host_does_not_delay_others(self) -> None:
        other = server_id(2)
        self.nova.add_server(other, **{"OS-EXT-SRV-ATTR:host": "compute-2"})
        self.nova.endpoints["vnc"] = {"host": "127.0.0.1", "port": _PORT}
        self.nova.responses["POST", f"/v2.1/servers/{SERVER}/"] = (
            fake_nova.hang
        )
        tls = ssl.create_default_context()
        displays = Displays(self.directory, [], tls, 30)
        # More than there are threads.
        hung = [asyncio.create_task(displays.open(SERVER)) for _ in range(40)]
        await asyncio.sleep(0)
        with self.assertRaisesRegex(DialError, "Connection refused"):
            await displays.open(other)
        self.nova.stopped.set()
        for result in await asyncio.gather(*hung, return_exceptions=True):
            self.assertIsInstance(result, DialError)
