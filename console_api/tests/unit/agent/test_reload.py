# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import signal
import unittest
from unittest import mock

from console_api.agent import reload
from console_api.agent.handover import HandoverError, Successor
from console_api.agent.reload import Reload
from console_api.net import notify
from console_api.tests.waiting import wait_until_async


class ReloadTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        self.reconciler = mock.AsyncMock()
        self.reconciler.can_hand_over = True
        self.reconciler.stop = mock.Mock()
        self.successor = mock.AsyncMock()
        self.successor.send_signal = mock.Mock()
        self.successor.pid = 42
        self.crashed = asyncio.Event()

        async def wait() -> bool:
            await self.crashed.wait()
            return False

        self.successor.wait = wait
        for patch in (
            mock.patch.object(Successor, "start", self.start),
            mock.patch.object(notify, "send", self.sent),
        ):
            patch.start()
            self.addCleanup(patch.stop)
        self.notifications: list[str] = []
        self.starts = 0
        self.reload = Reload(self.reconciler)

    async def start(self, _command: object) -> object:
        self.starts += 1
        return self.successor

    def sent(self, state: str) -> None:
        self.notifications.append(state)

    async def request(self) -> str:
        """Reload, and return what is logged."""
        with self.assertLogs(reload.LOG) as logs:
            self.reload.request()
            await wait_until_async(lambda: not self.is_running())
        return "\n".join(logs.output)

    def is_running(self) -> bool:
        return self.reload._task is not None

    async def test_serving_successor_lets_process_drain(self) -> None:
        self.assertIn("process 42 serves the consoles", await self.request())
        self.reconciler.hand_over.assert_awaited_once_with(self.successor)
        await wait_until_async(lambda: self.reconciler.drain.await_count == 1)
        self.assertTrue(self.notifications[0].startswith("RELOADING=1\n"))
        with mock.patch.dict(os.environ, {"NOTIFY_SOCKET": "/run/notify"}):
            self.assertIn("Ignoring SIGHUP: process 42", await self.request())
        self.assertEqual(1, self.starts)

    async def test_failed_successor_is_ended(self) -> None:
        for error in (HandoverError("It has exited."), TimeoutError()):
            with self.subTest(error):
                self.successor.wait_until_checked.side_effect = error
                self.assertIn("serving as before", await self.request())
                self.successor.end.assert_awaited()
                self.assertEqual("READY=1", self.notifications[-1])
        self.reconciler.hand_over.assert_not_awaited()
        self.assertEqual(0, await self.reload.finish())

    async def test_driver_without_handover_is_refused(self) -> None:
        self.reconciler.can_hand_over = False
        self.assertIn("Restart it instead", await self.request())
        self.assertEqual((0, []), (self.starts, self.notifications))

    async def test_stop_during_reload_ends_successor(self) -> None:
        started = asyncio.Event()

        async def hang() -> None:
            started.set()
            await asyncio.Event().wait()

        self.successor.wait_until_checked = hang
        self.reload.request()
        await started.wait()
        with self.assertLogs(reload.LOG) as logs:
            self.reload.request()
        self.assertIn("already reloading", logs.output[0])
        self.reload.stop()
        await wait_until_async(lambda: self.reconciler.stop.called)
        self.successor.end.assert_awaited()

    async def test_crash_of_successor_stops_process(self) -> None:
        await self.request()
        with self.assertLogs(reload.LOG, "ERROR"):
            self.crashed.set()
            await wait_until_async(lambda: self.reconciler.stop.called)
        self.assertEqual(1, await self.reload.finish())

    async def test_signals_are_forwarded_outside_systemd(self) -> None:
        await self.request()
        for address, forwarded in (
            ("/run/notify", []),
            ("", [mock.call(signal.SIGHUP), mock.call(signal.SIGTERM)]),
        ):
            with (
                self.subTest(address),
                mock.patch.dict(os.environ, {"NOTIFY_SOCKET": address}),
            ):
                self.reload.request()
                self.reload.stop()
                self.assertEqual(
                    forwarded, self.successor.send_signal.call_args_list
                )
