# SPDX-License-Identifier: Apache-2.0
import asyncio
import threading
import unittest
from typing import Any

from console_api.agent.drivers.vnc.displays import Displays
from console_api.directory.base import Directory, Endpoint, Server
from console_api.net.dial import DialError
from console_api.tests import certificates
from console_api.tests.certificates import Authority
from console_api.tests.ports import free_port
from console_api.tests.unit.base import (
    SERVER,
    FolderCase,
    load_conf,
    server_id,
)
from console_api.tests.unit.directory.nova import fake_nova
from console_api.tests.unit.directory.nova.test_directory import NovaCase
from console_api.tests.unit.net.fake_display import FakeDisplay

# Closed, so that dialling fails at once.
_PORT = free_port()


class FakeDirectory(Directory):
    """Has every server, but hangs for the one with the id ``slow``."""

    def __init__(self) -> None:
        self.is_released = threading.Event()
        self.endpoint_of_all = Endpoint("127.0.0.1", _PORT)

    @classmethod
    def from_conf(cls, conf: object, database: object) -> "FakeDirectory":
        raise NotImplementedError

    def get(self, server_id: str) -> Server:
        if server_id == "slow":
            self.is_released.wait()
        endpoints = {"vnc": self.endpoint_of_all}
        return Server(server_id, "p", "n", "i", "compute-1", endpoints)


class DisplaysCase(FolderCase, unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = FakeDirectory()
        self.addCleanup(self.directory.is_released.set)

    def displays(self, **options: object) -> Displays:
        """Return displays with options of ``[vnc]``."""
        conf = load_conf(self.folder, {"vnc": options})
        return Displays.from_conf(conf, self.directory)

    def make_authority(self, folder: str, **kwargs: str) -> Authority:
        path = self.folder / folder
        path.mkdir()
        return certificates.make(path, **kwargs)


class OpenTest(DisplaysCase):
    async def test_slow_look_ups_do_not_delay_others(self) -> None:
        displays = self.displays()
        # The default maximum of sessions of two consoles.
        slow = [asyncio.create_task(displays.open("slow")) for _ in range(20)]
        await asyncio.sleep(0)
        with self.assertRaisesRegex(DialError, "Connection refused"):
            await displays.open("good")
        self.directory.is_released.set()
        await asyncio.gather(*slow, return_exceptions=True)

    async def test_slow_look_up_is_a_timeout(self) -> None:
        displays = self.displays()
        displays._connect_timeout = 0.01
        with self.assertRaisesRegex(DialError, "directory did not answer"):
            await displays.open("slow")


class AuthorityTest(DisplaysCase):
    async def test_changed_authority_applies_to_next_connection(self) -> None:
        old, new = self.make_authority("old"), self.make_authority("new")
        displays = self.displays(endpoint_tls_ca_file=old.ca_file)
        async with FakeDisplay(authority=new, is_tls=True).serve() as display:
            self.directory.endpoint_of_all = Endpoint(
                "127.0.0.1", _PORT, tls_port=display.port
            )
            with self.assertRaisesRegex(DialError, "verify failed"):
                await displays.open("good")
            with old.ca_file.open("ab") as file:
                file.write(new.ca_file.read_bytes())
            opened = await displays.open("good")
            opened.stream.close()
        self.assertEqual("compute-1", opened.compute_host)
        self.assertEqual(f"127.0.0.1:{display.port}", opened.address)


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
        conf = load_conf(self.folder, {"vnc": {"connect_timeout": 30}})
        displays = Displays.from_conf(conf, self.directory)
        # More than there are threads.
        hung = [asyncio.create_task(displays.open(SERVER)) for _ in range(40)]
        await asyncio.sleep(0)
        with self.assertRaisesRegex(DialError, "Connection refused"):
            await displays.open(other)
        self.nova.stopped.set()
        for result in await asyncio.gather(*hung, return_exceptions=True):
            self.assertIsInstance(result, DialError)
