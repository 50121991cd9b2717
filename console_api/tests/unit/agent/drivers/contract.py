# SPDX-License-Identifier: Apache-2.0
"""Tests that every driver has to pass.

Derive a test case from ``DriverContract`` and
``unittest.IsolatedAsyncioTestCase``, and implement ``make_driver``.
"""

import abc
import asyncio
import contextlib
import dataclasses
import socket
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from console_api.agent.drivers.base import Console, Driver
from console_api.tests.ports import free_ports, is_free
from console_api.tests.waiting import wait_until_async

if TYPE_CHECKING:
    import unittest

    class _Case(unittest.IsolatedAsyncioTestCase, abc.ABC):
        """What the classes of drivers inherit beside the contract."""

else:
    # A test case here would run without a driver wherever it is imported.
    _Case = abc.ABC

_PASSWORD = "pAsSw0rd"

_TIMEOUT = 30


class DriverContract(_Case):
    """The tests; see the module's docstring."""

    driver: Driver

    @abc.abstractmethod
    def make_driver(self) -> Driver:
        """Create the driver."""

    def compute_host(self) -> str:
        """Return a compute host that the driver serves."""
        return "compute-1"

    def is_served(self, console: Console) -> bool:
        """Return whether a console is served, by default: its port is open."""
        return console.port is not None and not is_free(console.port)

    # Drivers need not override anything below.

    def setUp(self) -> None:
        """Create the driver, and consoles on free ports."""
        super().setUp()
        self.driver = self.make_driver()
        ports = free_ports(4)
        self.consoles = {
            number: Console(
                id=number,
                server_id=f"00000000-0000-4000-8000-{number:012d}",
                instance_name=f"instance-{number:08x}",
                compute_host=self.compute_host(),
                port=port,
                password=_PASSWORD,
            )
            for number, port in enumerate(ports, 1)
        }

    async def asyncSetUp(self) -> None:
        """Start the driver."""
        await self.driver.start()

    async def asyncTearDown(self) -> None:
        """Close the driver, which has to stop serving."""
        await self.driver.close()
        await self.eventually_served([])

    def chosen(self, *numbers: int) -> dict[int, Console]:
        """Return some of the consoles."""
        return {number: self.consoles[number] for number in numbers}

    async def eventually_served(self, numbers: Iterable[int]) -> None:
        """Wait until exactly these consoles are served."""
        wanted = set(numbers)
        await wait_until_async(
            lambda: (
                wanted
                == {
                    number
                    for number, console in self.consoles.items()
                    if self.is_served(console)
                }
            )
        )

    async def apply(self, *numbers: int) -> None:
        """Apply some of the consoles, which must succeed."""
        failed = await self.driver.apply(self.chosen(*numbers))
        self.assertEqual({}, failed)
        await self.eventually_served(numbers)

    async def test_apply_serves_exactly_given_consoles(self) -> None:
        """Any set of consoles may follow any other."""
        for numbers in ((), (1,), (1, 2, 3), (2,), (2, 4), (), (3,)):
            with self.subTest(numbers=numbers):
                await self.apply(*numbers)

    async def test_apply_keeps_connections_of_same_consoles(self) -> None:
        """Applying the same consoles again does not disconnect viewers."""
        await self.apply(1, 2)
        console = self.consoles[1]
        if console.port is None:
            return
        with socket.create_connection(("127.0.0.1", console.port), 10) as one:
            await self.receive(one, 12)
            await self.apply(1, 2)
            await self.apply(1, 2, 3)
            one.sendall(b"RFB 003.008\n")
            self.assertTrue(await self.receive(one, 1))

    async def receive(self, connected: socket.socket, count: int) -> bytes:
        """Receive from a console without blocking it."""
        connected.setblocking(False)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_TIMEOUT):
            return await loop.sock_recv(connected, count)

    async def test_port_in_use_is_reported_and_retried(self) -> None:
        """Other consoles are served in the meantime."""
        with taken(self.consoles[2].port):
            failed = await self.driver.apply(self.chosen(1, 2, 3))
            self.assertEqual({2}, failed.keys())
            self.assertNotIn(_PASSWORD, failed[2])
            await self.eventually_served([1, 2, 3])  # 2: by the other program

        async def is_applied() -> bool:
            return not await self.driver.apply(self.chosen(1, 2, 3))

        await wait_until_async(is_applied)
        await self.eventually_served([1, 2, 3])

    async def test_ports_can_be_exchanged(self) -> None:
        """Ports that are no longer used are closed first."""
        await self.apply(1, 2)
        one, two = self.consoles[1], self.consoles[2]
        swapped = {
            1: dataclasses.replace(one, port=two.port),
            2: dataclasses.replace(two, port=one.port),
        }
        self.assertEqual({}, await self.driver.apply(swapped))
        await self.eventually_served([1, 2])


@contextlib.contextmanager
def taken(port: int | None) -> Iterator[None]:
    """Listen on a port, as another program."""
    with socket.create_server(("", port or 0)):
        yield
