# SPDX-License-Identifier: Apache-2.0
import asyncio
from typing import Any

from console_api.agent.cleaner import Cleaner
from console_api.directory.base import Server
from console_api.tests.unit import base
from console_api.tests.unit.base import server_id
from console_api.tests.unit.directory.test_cleanup import CleanupCase
from console_api.tests.waiting import wait_until_async


class CleanerTest(CleanupCase):
    def cleaner(self, batch: int = 2, interval: float = 0) -> Any:
        conf = base.load_conf(self.folder, {"agent": {"cleanup_batch": batch}})
        conf.set_override("cleanup_interval", interval, "agent")
        made = Cleaner(self.database, self.directory, conf)
        made._marker = ""
        return made

    def asked(self) -> list[int]:
        asked, self.directory.asked = self.directory.asked, []
        return [int(uuid[-12:]) for uuid in asked]

    def test_a_round_asks_for_so_many_and_goes_on_from_there(self) -> None:
        self.add(1, 2, 3)
        cleaner = self.cleaner()
        rounds = []
        for _round in range(4):
            cleaner.do_round()
            rounds.append(self.asked())
        self.assertEqual([[1, 2], [3], [1, 2], [3]], rounds)

    def test_what_is_gone_is_deleted_and_said(self) -> None:
        self.add(1, 2)
        self.lose(1)
        with self.assertLogs("console_api.agent", "INFO") as logged:
            self.cleaner().do_round()
        self.assertIn(f"Server {server_id(1)} is gone", logged.output[0])
        self.assert_left(2)

    def test_no_answer_ends_a_round_is_said_once_and_loses_nothing(
        self,
    ) -> None:
        self.add(1, 2, 3)
        cleaner = self.cleaner()
        there, self.directory.servers = self.directory.servers, None
        with self.assertLogs("console_api.agent", "WARNING") as logged:
            cleaner.do_round()
            cleaner.do_round()
        self.assertEqual(1, len(logged.output))
        # One bad answer does not keep the others from being asked for.
        self.assertEqual([1, 2], self.asked())
        self.assert_left(1, 2, 3)
        self.directory.servers = there
        self.lose(3)
        cleaner.do_round()
        self.assert_left(1, 2)

    def test_what_nobody_has_thought_of_does_not_end_it(self) -> None:
        self.add(1)
        self.directory.find = None  # type: ignore[assignment]
        with self.assertLogs("console_api.agent", "ERROR"):
            self.cleaner().do_round()
        self.assert_left(1)

    def test_two_agents_do_no_harm(self) -> None:
        self.add(1, 2, 3, 4)
        self.lose(1, 2, 4)

        async def run() -> None:
            both = [self.cleaner(9), self.cleaner(9)]
            tasks = [asyncio.create_task(one.run()) for one in both]
            await wait_until_async(lambda: self.left() == [3])
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for one in both:
                # A round under way goes on to the end of its question.
                one._thread.shutdown(wait=True)

        asyncio.run(asyncio.wait_for(run(), 20))
        self.assert_left(3)


class SlowTest(CleanupCase):
    def test_it_ends_between_two_questions(self) -> None:
        self.add(1, 2)

        async def run() -> None:
            cleaner = CleanerTest.cleaner(self)  # type: ignore[arg-type]
            task = asyncio.create_task(cleaner.run())
            find = self.directory.find

            def slowly(server_id: str) -> Server:
                loop.call_soon_threadsafe(task.cancel)
                while not cleaner._stopping:
                    pass
                return find(server_id)

            loop = asyncio.get_running_loop()
            self.directory.find = slowly  # type: ignore[method-assign]
            with self.assertRaises(asyncio.CancelledError):
                await task
            cleaner._thread.shutdown(wait=True)

        asyncio.run(asyncio.wait_for(run(), 20))
        self.assertEqual(1, len(self.directory.asked))
