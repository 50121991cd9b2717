# SPDX-License-Identifier: Apache-2.0
import ssl
import unittest

from console_api.agent.drivers.vnc.endpoint import (
    Endpoints,
    ScreenUnreachable,
)
from console_api.directory.base import Directory, Endpoint, Server


class OneServer(Directory):
    """Knows one server, whatever its id."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    @classmethod
    def from_conf(cls, conf: object, database: object) -> "OneServer":
        raise NotImplementedError

    def get(self, server_id: str) -> Server:
        endpoints = {"vnc": self.endpoint}
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
