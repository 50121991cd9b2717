# SPDX-License-Identifier: Apache-2.0
import asyncio
import unittest
from unittest import mock

from console_api.net import password_queue
from console_api.net.failed_attempts import AttemptHistory, AttemptLimits
from console_api.net.password_queue import PasswordQueue, Verdict


class PasswordQueueTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.history = AttemptHistory(AttemptLimits(3, 3600))
        self.queue = PasswordQueue(1, self.history)

    async def attempt(self, address: str, *, is_correct: bool) -> Verdict:
        return await self.queue.attempt(address, is_correct=is_correct)

    async def test_limit_locks_address_only(self) -> None:
        verdicts = [await self.attempt("a", is_correct=False) for _ in "123"]
        self.assertEqual([Verdict.WRONG] * 3, verdicts)
        for is_correct in (False, True):
            self.assertIs(
                Verdict.LOCKED, await self.attempt("a", is_correct=is_correct)
            )
        self.assertTrue(self.queue.is_locked("a"))
        self.assertFalse(self.queue.is_locked("b"))
        self.assertIs(
            Verdict.ACCEPTED, await self.attempt("b", is_correct=True)
        )

    async def test_concurrent_attempts_of_address_count_one_by_one(
        self,
    ) -> None:
        verdicts = await asyncio.gather(
            *(self.attempt("a", is_correct=False) for _ in range(100))
        )
        self.assertEqual(3, verdicts.count(Verdict.WRONG))
        self.assertEqual(97, verdicts.count(Verdict.LOCKED))

    async def test_correct_password_passes_those_who_failed(self) -> None:
        attackers = [str(number) for number in range(50)]
        for address in attackers:
            self.history.get(1, address).has_failed = True
        with mock.patch.object(password_queue, "_CHECK_INTERVAL", 3600):
            guesses = [
                asyncio.create_task(self.attempt(address, is_correct=False))
                for address in attackers
            ]
            async with asyncio.timeout(60):
                await asyncio.wait(
                    guesses, return_when=asyncio.FIRST_COMPLETED
                )
                self.assertIs(
                    Verdict.ACCEPTED, await self.attempt("a", is_correct=True)
                )
        self.assertEqual(1, sum(guess.done() for guess in guesses))
        for guess in guesses:
            guess.cancel()
        await asyncio.gather(*guesses, return_exceptions=True)

    async def test_rate_of_fresh_addresses_is_limited(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(
            *(self.attempt(str(i), is_correct=False) for i in range(11))
        )
        self.assertGreaterEqual(loop.time() - began, 0.2)

    async def test_cancelled_attempt_takes_no_turn(self) -> None:
        with mock.patch.object(password_queue, "_CHECK_INTERVAL", 3600):
            await self.attempt("a", is_correct=True)
            waiting = [
                asyncio.create_task(self.attempt(address, is_correct=False))
                for address in "bcd"
            ]
            await asyncio.sleep(0)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        self.assertFalse(self.history.get(1, "b").lock.locked())
        self.assertFalse(self.history.get(1, "b").has_failed)
