# SPDX-License-Identifier: Apache-2.0
import asyncio
import unittest

from console_api.net.pending_handshakes import PendingHandshakes


async def wait() -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()


class PendingHandshakesTest(unittest.IsolatedAsyncioTestCase):
    async def test_oldest_is_cancelled_beyond_limit(self) -> None:
        pending = PendingHandshakes(2)
        tasks = [asyncio.create_task(wait()) for _ in range(4)]
        for task in tasks[:3]:
            pending.add(task)
        # It has authenticated, and makes room for another one.
        pending.discard(tasks[1])
        pending.add(tasks[3])
        await asyncio.sleep(0)
        self.assertEqual(
            [True, False, False, False], [task.cancelled() for task in tasks]
        )
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
