# SPDX-License-Identifier: Apache-2.0
import asyncio
import threading
import unittest
from typing import Any

from console_api.agent.drivers.vnc.displays import Display, Displays
from console_api.directory.base import Directory, Endpoint, Server
from console_api.errors import ConfigurationError
from console_api.net.dial import DialError, DialRefused
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
        self.compute_host: str | None = "compute-1"

    @classmethod
    def from_conf(cls, conf: object, database: object) -> "FakeDirectory":
        raise NotImplementedError

    def get(self, server_id: str) -> Server:
        if server_id == "slow":
            self.is_released.wait()
        endpoints = {"vnc": self.endpoint_of_all}
        return Server(server_id, "p", "n", "i", self.compute_host, endpoints)


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


class SecurityTest(DisplaysCase):
    def setUp(self) -> None:
        super().setUp()
        self.authority = self.make_authority("authority")
        self.options: dict[str, object] = {
            "endpoint_tls_ca_file": self.authority.ca_file,
            "endpoint_password": "compute-* s3cret",
        }

    async def open(self, display: FakeDisplay, **options: object) -> Display:
        """Open a display with more options of ``[vnc]``."""
        displays = self.displays(**self.options, **options)
        async with display.serve():
            return await self.open_served(displays, display)

    async def open_served(
        self, displays: Displays, display: FakeDisplay
    ) -> Display:
        self.directory.endpoint_of_all = Endpoint(
            "127.0.0.1",
            display.port,
            tls_port=display.port if display.is_tls else None,
        )
        opened = await displays.open("good")
        opened.stream.close()
        return opened

    async def test_address_and_compute_host_are_known(self) -> None:
        display = FakeDisplay()
        opened = await self.open(display)
        self.assertEqual("compute-1", opened.compute_host)
        self.assertEqual(f"127.0.0.1:{display.port}", opened.address)

    async def test_changed_authority_applies_to_next_connection(self) -> None:
        new = self.make_authority("new")
        displays = self.displays(**self.options)
        async with FakeDisplay(authority=new, is_tls=True).serve() as display:
            with self.assertRaisesRegex(DialError, "verify failed"):
                await self.open_served(displays, display)
            with self.authority.ca_file.open("ab") as file:
                file.write(new.ca_file.read_bytes())
            await self.open_served(displays, display)

    async def test_best_usable_type_is_chosen(self) -> None:
        login = {"endpoint_login": "compute-* agent pass word"}
        for types, subtypes, options, chosen in (
            ([1, 2], [], {}, [2]),
            ([2, 19], [260, 261], {}, [19, 261]),
            ([2, 19], [260, 261, 262], login, [19, 262]),
            ([2, 19], [258, 2], {}, [19, 2]),
            # Another connection, without VeNCrypt.
            ([2, 19], [258], {}, [19, 2]),
            ([1, 19], [262], {}, [19, 1]),
        ):
            with self.subTest(types=types, subtypes=subtypes):
                display = FakeDisplay(types, subtypes, self.authority)
                await self.open(display, **options)
                self.assertEqual(chosen, display.chosen)

    async def test_login_is_sent_inside_tls(self) -> None:
        display = FakeDisplay([19], [262], self.authority)
        await self.open(display, endpoint_login="compute-* agent pass word")
        [sent] = display.credentials
        self.assertEqual(b"agentpass word", sent)

    async def test_required_tls(self) -> None:
        for types, subtypes, is_tls, chosen in (
            ([2], [], True, [2]),
            ([1, 19], [261], False, [19, 261]),
        ):
            with self.subTest(types=types, is_tls=is_tls):
                display = FakeDisplay(
                    types, subtypes, self.authority, is_tls=is_tls
                )
                await self.open(display, endpoint_tls_required="compute-*")
                self.assertEqual(chosen, display.chosen)

    async def test_display_without_required_tls_gets_no_response(self) -> None:
        for types, subtypes in (([2], []), ([1], []), ([2, 19], [258, 2])):
            with self.subTest(types=types):
                display = FakeDisplay(types, subtypes)
                with self.assertRaisesRegex(DialRefused, "TLS is required"):
                    await self.open(display, endpoint_tls_required="compute-*")
                self.assertEqual([], display.credentials)

    async def test_required_tls_precedes_internal_access_path(self) -> None:
        displays = self.displays(endpoint_tls_required="*")
        self.directory.endpoint_of_all = Endpoint(
            "127.0.0.1", _PORT, internal_access_path="/secret"
        )
        with self.assertRaisesRegex(DialRefused, "no TLS port") as raised:
            await displays.open("good")
        self.assertNotIn("secret", str(raised.exception))

    async def test_tls_of_other_compute_hosts_is_optional(self) -> None:
        display = FakeDisplay([2])
        await self.open(display, endpoint_tls_required="compute-2, rack-*")
        self.assertEqual([2], display.chosen)

    async def test_tls_may_be_required_for_unknown_compute_host(self) -> None:
        self.directory.compute_host = None
        with self.assertRaisesRegex(DialRefused, "TLS is required"):
            await self.open(FakeDisplay(), endpoint_tls_required="compute-1")

    async def test_certificate_of_compute_host(self) -> None:
        authority = self.make_authority("named", name="compute-1")
        self.options["endpoint_tls_ca_file"] = authority.ca_file
        for is_tls in (False, True):
            with self.subTest(is_tls=is_tls):
                display = FakeDisplay(
                    [1] if is_tls else [19], [260], authority, is_tls=is_tls
                )
                with self.assertRaisesRegex(DialError, "not valid for"):
                    await self.open(display)
                await self.open(
                    display, endpoint_tls_verify_compute_host="compute-*"
                )


class OptionsTest(DisplaysCase):
    def test_invalid_option_is_refused_without_its_value(self) -> None:
        for option in ("endpoint_password", "endpoint_login"):
            for value in ("s3cret", "compute-*", "agent s3cret"):
                if option == "endpoint_password" and " " in value:
                    continue
                with self.subTest(option, value=value):
                    with self.assertRaises(ConfigurationError) as raised:
                        self.displays(**{option: value})
                    self.assertIn(option, str(raised.exception))
                    self.assertNotIn("s3cret", str(raised.exception))


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
