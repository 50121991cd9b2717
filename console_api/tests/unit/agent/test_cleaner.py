# SPDX-License-Identifier: Apache-2.0
import asyncio
import threading

from console_api.agent.cleaner import Cleaner
from console_api.db import tables
from console_api.directory.base import Server
from console_api.directory.database import DatabaseDirectory
from console_api.tests.unit import base
from console_api.tests.unit.base import server_id
from console_api.tests.unit.directory.test_cleanup import CleanupCase
from console_api.tests.waiting import wait_until_async


class CleanerTest(CleanupCase):
    def cleaner(self, batch: int = 2) -> Cleaner:
        options = {"cleanup_batch": batch, "cleanup_interval": 0}
        conf = base.load_conf(self.folder, {"agent": options})
        return Cleaner(self.database, self.directory, conf, marker="")

    def asked(self) -> list[int]:
        asked, self.directory.requests = self.directory.requests, []
        return [int(uuid[-12:]) for uuid in asked]

    def test_batches_cover_all_servers_in_turn(self) -> None:
        self.add(1, 2, 3)
        cleaner = self.cleaner()
        batches = []
        for _ in range(4):
            cleaner.clean_up()
            batches.append(self.asked())
        self.assertEqual([[1, 2], [3], [1, 2], [3]], batches)

    def test_missing_server_is_deleted_and_logged(self) -> None:
        self.add(1, 2)
        self.remove(1)
        with self.assertLogs("console_api.agent", "INFO") as logged:
            self.cleaner().clean_up()
        self.assertIn(f"Deleted server {server_id(1)}", logged.output[0])
        self.assert_left(2)

    def test_expired_console_is_deleted_with_any_directory(self) -> None:
        self.add(1)
        [console] = self.rows(tables.consoles)
        self.expire_console(console.id)
        conf = base.load_conf(self.folder)
        with self.assertLogs("console_api.agent", "INFO"):
            Cleaner(
                self.database,
                DatabaseDirectory.from_conf(conf, self.database),
                conf,
            ).clean_up()
        self.assertEqual([], self.rows(tables.consoles))
        self.assertEqual([1], self.left())

    def test_unavailable_directory_deletes_nothing(self) -> None:
        self.add(1, 2, 3)
        cleaner = self.cleaner()
        there, self.directory.servers = self.directory.servers, None
        with self.assertLogs("console_api.agent", "WARNING") as logged:
            cleaner.clean_up()
            cleaner.clean_up()
        self.assertEqual(1, len(logged.output))
        # An answer that fails does not block the servers after it.
        self.assertEqual([1, 2], self.asked())
        self.assert_left(1, 2, 3)
        self.directory.servers = there
        self.remove(3)
        cleaner.clean_up()
        self.assert_left(1, 2)

    def test_unexpected_error_is_logged(self) -> None:
        self.add(1)
        self.directory.find = None  # type: ignore[assignment]
        with self.assertLogs("console_api.agent", "ERROR"):
            self.cleaner().clean_up()
        self.assert_left(1)

    def test_two_cleaners_delete_each_server_once(self) -> None:
        self.add(1, 2, 3, 4)
        self.remove(1, 2, 4)

        async def run() -> None:
            both = [self.cleaner(9), self.cleaner(9)]
            tasks = [asyncio.create_task(one.run()) for one in both]
            await wait_until_async(lambda: self.left() == [3])
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            join_threads()

        asyncio.run(asyncio.wait_for(run(), 20))
        self.assert_left(3)


def join_threads() -> None:
    """Wait for look-ups in progress, which cannot be interrupted."""
    for thread in threading.enumerate():
        if thread.name.startswith("cleaner"):
            thread.join()


class StopTest(CleanupCase):
    def test_stop_ends_batch_after_current_look_up(self) -> None:
        self.add(1, 2)

        async def run() -> None:
            cleaner = CleanerTest.cleaner(self)  # type: ignore[arg-type]
            task = asyncio.create_task(cleaner.run())
            find = self.directory.find

            def slowly(server_id: str) -> Server:
                loop.call_soon_threadsafe(task.cancel)
                while not task.done():
                    pass
                return find(server_id)

            loop = asyncio.get_running_loop()
            self.directory.find = slowly  # type: ignore[method-assign]
            with self.assertRaises(asyncio.CancelledError):
                await task
            join_threads()

        asyncio.run(asyncio.wait_for(run(), 20))
        self.assertEqual(1, len(self.directory.requests))
