# SPDX-License-Identifier: Apache-2.0
import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from unittest import mock

from console_api import errors
from console_api.agent.drivers.base import Console
from console_api.agent.handover import HandoverError
from console_api.agent.reconciler import Reconciler
from console_api.net import notify
from console_api.tests.unit.agent.test_reconciler import (
    ReconcilerCase,
    RecordingDriver,
    console,
)
from console_api.tests.waiting import wait_until_async


class HandingDriver(RecordingDriver):
    """Records the calls of a handover."""

    can_hand_over = True

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.sessions = 0

    async def start(self, sockets: Sequence[socket.socket] = ()) -> None:
        self.calls.append("start")

    async def apply(
        self, consoles: Mapping[int, Console]
    ) -> Mapping[int, str]:
        self.calls.append("apply")
        return await super().apply(consoles)

    async def pause(self) -> Sequence[socket.socket]:
        self.calls.append("pause")
        return []

    async def resume(self) -> None:
        self.calls.append("resume")

    async def release(self) -> None:
        self.calls.append("release")

    @property
    def session_count(self) -> int:
        return self.sessions


class HandoverCase(ReconcilerCase):
    def setUp(self) -> None:
        super().setUp()
        self.driver: HandingDriver = HandingDriver()
        self.peer = mock.AsyncMock()
        patch = mock.patch.object(notify, "send")
        self.send = patch.start()
        self.addCleanup(patch.stop)
        self.options.set_override("report_interval", 1, "agent")

    @contextlib.asynccontextmanager
    async def running(
        self, *, has_predecessor: bool = False
    ) -> AsyncIterator[Reconciler]:
        """Run a reconciler that serves console 1."""
        self.feed.answers.append({1: console(1)})
        self.reconciler = Reconciler(
            self.feed,  # type: ignore[arg-type]
            self.driver,
            self.options,
            predecessor=self.peer if has_predecessor else None,
            duties=[self.duty],
        )
        self.is_on_duty = False
        self.task = asyncio.create_task(self.reconciler.run())
        await wait_until_async(
            lambda: self.task.done() or self.reconciler.can_hand_over
        )
        try:
            yield self.reconciler
        finally:
            self.reconciler.stop()
            await self.task

    async def duty(self) -> None:
        self.is_on_duty = True
        try:
            await asyncio.Event().wait()
        finally:
            self.is_on_duty = False

    def notifications(self) -> list[str]:
        """Return what systemd was told, except for its watchdog."""
        sent = [call.args[0] for call in self.send.call_args_list]
        return [state for state in sent if state != "WATCHDOG=1"]


class PredecessorTest(HandoverCase):
    """The process that hands its consoles over."""

    async def test_drained_process_stops_without_reporting(self) -> None:
        self.driver.sessions = 1
        async with self.running() as reconciler:
            self.assertTrue(self.is_on_duty)
            await reconciler.hand_over(self.peer)
            self.assertFalse(self.is_on_duty)
            self.assertEqual(["pause", "release"], self.driver.calls[-2:])
            draining = asyncio.create_task(reconciler.drain())
            reports, reads = self.feed.reports, self.feed.reads
            self.feed.is_registered = False
            self.feed.answers.append({})
            await wait_until_async(lambda: self.feed.reads > reads + 2)
            self.assertEqual([], self.driver.applied[-1])
            self.assertEqual(reports, self.feed.reports)
            self.assertFalse(self.task.done())
            self.driver.sessions = 0
            await draining
            await self.task
        self.assertTrue(self.driver.closed)
        self.assertEqual(["READY=1"], self.notifications())

    async def test_drain_timeout_stops_process_with_sessions(self) -> None:
        self.options.set_override("drain_timeout", 0, "agent")
        self.driver.sessions = 1
        async with self.running() as reconciler:
            await reconciler.hand_over(self.peer)
            await reconciler.drain()
            await self.task

    async def test_failed_successor_is_ended_before_resume(self) -> None:
        self.peer.serve.side_effect = HandoverError("It has exited.")

        async def end() -> None:
            self.driver.calls.append("end")

        self.peer.end = end
        async with self.running() as reconciler:
            with self.assertRaises(HandoverError):
                await reconciler.hand_over(self.peer)
            self.assertEqual(["pause", "end", "resume"], self.driver.calls[2:])
            self.assertTrue(self.is_on_duty)
            self.feed.answers.append({})
            await wait_until_async(lambda: self.driver.applied[-1] == [])
        self.assertEqual(["READY=1", "STOPPING=1"], self.notifications())

    async def test_nothing_is_applied_during_handover(self) -> None:
        async def serve(_sockets: object) -> None:
            reads = self.feed.reads
            self.feed.answers.append({})
            await wait_until_async(lambda: self.feed.reads > reads)
            await asyncio.sleep(0)
            self.assertEqual("pause", self.driver.calls[-1])

        self.peer.serve = serve
        async with self.running() as reconciler:
            await reconciler.hand_over(self.peer)


class SuccessorTest(HandoverCase):
    """The process that takes consoles over."""

    async def test_consoles_are_read_before_they_are_taken(self) -> None:
        async def take() -> list[socket.socket]:
            self.driver.calls.append("take")
            self.assertFalse(self.is_on_duty)
            self.assertEqual(1, self.feed.reads)
            # The predecessor has served this one in the meantime.
            self.feed.answers.append({1: console(1), 2: console(2)})
            return []

        self.peer.take = take
        async with self.running(has_predecessor=True):
            await wait_until_async(lambda: self.is_on_duty)
            self.peer.confirm.assert_awaited_once()
        self.assertEqual(["take", "start", "apply"], self.driver.calls[:3])
        self.assertEqual([1, 2], self.driver.applied[0])
        ready, stopping = self.notifications()
        self.assertRegex(ready, r"^MAINPID=\d+\nREADY=1$")
        self.assertEqual("STOPPING=1", stopping)

    async def test_lost_predecessor_is_an_error(self) -> None:
        self.peer.take.side_effect = HandoverError("It has exited.")
        with self.assertRaises(HandoverError):
            async with self.running(has_predecessor=True):
                pass
        self.assertEqual([], self.driver.calls)
        self.assertEqual([], self.notifications())

    async def test_no_console_served_is_an_error(self) -> None:
        self.peer.take.return_value = []
        self.driver.failures = {1: "The port is in use."}
        with self.assertRaises(errors.ConfigurationError):
            async with self.running(has_predecessor=True):
                pass
        self.peer.confirm.assert_not_awaited()
        self.assertEqual([], self.notifications())
