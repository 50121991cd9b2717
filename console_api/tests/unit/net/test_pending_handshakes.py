# SPDX-License-Identifier: Apache-2.0
import asyncio
import unittest

from console_api.net.pending_handshakes import PendingHandshakes


async def wait() -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()


class PendingHandshakesTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.pending = PendingHandshakes(3)
        self.tasks: list[asyncio.Task[None]] = []

    async def asyncTearDown(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def add(self, address: str) -> asyncio.Task[None]:
        task = asyncio.create_task(wait())
        self.tasks.append(task)
        self.pending.add(task, address)
        return task

    async def cancelled(self) -> list[int]:
        """Return the positions of the tasks that were cancelled."""
        await asyncio.sleep(0)
        return [i for i, task in enumerate(self.tasks) if task.cancelled()]

    async def test_oldest_of_equal_addresses_is_cancelled(self) -> None:
        for address in ("a", "b", "c", "d"):
            self.add(address)
        self.assertEqual([0], await self.cancelled())

    async def test_address_with_most_loses_its_oldest(self) -> None:
        self.add("typing")
        for _ in range(10):
            self.add("attacker")
        self.assertEqual([*range(1, 9)], await self.cancelled())

    async def test_discarded_connection_makes_room(self) -> None:
        first, _, _ = self.add("a"), self.add("b"), self.add("c")
        self.pending.discard(first)
        self.pending.discard(first)
        self.add("d")
        self.assertEqual([], await self.cancelled())
        self.add("e")
        self.assertEqual([1], await self.cancelled())
