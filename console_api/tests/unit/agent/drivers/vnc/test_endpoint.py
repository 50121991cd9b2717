# SPDX-License-Identifier: Apache-2.0
import asyncio
import ssl
import threading
import unittest

from console_api.agent.drivers.vnc.endpoint import (
    Endpoints,
    ScreenUnreachable,
)
from console_api.directory.base import Directory, Endpoint, Server


class OneServer(Directory):
    """Knows one server, whatever its id."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    @classmethod
    def from_conf(cls, conf: object, database: object) -> "OneServer":
        raise NotImplementedError

    def get(self, server_id: str) -> Server:
        endpoints = {"vnc": self._endpoint}
        return Server(server_id, "p", "n", "i", "compute-1", endpoints)


class OpenTest(unittest.IsolatedAsyncioTestCase):
    async def test_a_host_that_is_no_name_is_unreachable(self) -> None:
        tls = ssl.create_default_context()
        for host in ("two..dots", "x" * 64, "null\0"):
            for tls_port in (None, 1):
                endpoint = Endpoint(host, 1, tls_port)
                with (
                    self.subTest(endpoint),
                    self.assertRaisesRegex(ScreenUnreachable, "no name"),
                ):
                    await Endpoints(OneServer(endpoint), [], tls, 10).open("u")

    async def test_slow_look_ups_do_not_hold_up_others(self) -> None:
        hangs = threading.Event()
        self.addCleanup(hangs.set)
        # A port where nobody serves a screen.
        endpoint = Endpoint("127.0.0.1", 1)

        class Slow(OneServer):
            def get(self, server_id: str) -> Server:
                if server_id == "slow":
                    hangs.wait()
                return super().get(server_id)

        tls = ssl.create_default_context()
        endpoints = Endpoints(Slow(endpoint), [], tls, 1)
        # As many as a console may have sessions, of two consoles.
        slow = [asyncio.create_task(endpoints.open("slow")) for _ in range(20)]
        await asyncio.sleep(0)
        with self.assertRaisesRegex(ScreenUnreachable, "Connect call failed"):
            await endpoints.open("good")
        hangs.set()
        await asyncio.gather(*slow, return_exceptions=True)
