# SPDX-License-Identifier: Apache-2.0
import asyncio
from unittest import mock

from websockets.asyncio.client import ClientConnection

from console_api.gateway import websocket
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.session import Session
from console_api.tests.unit.gateway.base import GatewayCase, echo, frame
from console_api.tests.waiting import wait_until_async


class LimitsTest(GatewayCase):
    async def open_session(
        self, **values: object
    ) -> tuple[ClientConnection, Session, float]:
        """Open a session; return it and when it was opened."""
        await self.serve_display(echo, **values)
        browser = await self.open()
        (session,) = self.connections.sessions
        return browser, session, session._opened_at

    async def test_time_limit(self) -> None:
        browser, _, opened_at = await self.open_session(max_duration=60)
        self.connections.sweep(opened_at + 59.9)
        self.assertEqual([], self.broker.reasons)
        self.connections.sweep(opened_at + 60)
        self.assertEqual([CloseReason.TIME_LIMIT], self.broker.reasons)
        self.assertEqual(
            (CloseReason.TIME_LIMIT.code, CloseReason.TIME_LIMIT.text),
            await self.closed(browser),
        )

    async def test_idle_timeout_counts_from_last_data(self) -> None:
        browser, session, opened_at = await self.open_session(idle_timeout=60)
        self.connections.sweep(opened_at + 40)
        await browser.send(b"key")
        await browser.recv()
        noted_at = opened_at + 50
        self.connections.sweep(noted_at)
        self.connections.sweep(noted_at + 59.9)
        self.assertIsNone(session.reason)
        self.connections.sweep(noted_at + 60)
        self.assertIs(CloseReason.IDLE_TIMEOUT, session.reason)

    async def test_pings_are_no_activity(self) -> None:
        browser, session, opened_at = await self.open_session(idle_timeout=60)
        self.connections.sweep(opened_at + 30)
        await (await browser.ping())
        self.connections.sweep(opened_at + 60)
        self.assertIs(CloseReason.IDLE_TIMEOUT, session.reason)

    async def test_zero_means_no_limit(self) -> None:
        _, session, opened_at = await self.open_session()
        (connection,) = self.connections._websockets
        for _ in range(10):
            opened_at += 10**6
            self.connections.sweep(opened_at)
            await wait_until_async(lambda: connection._unanswered == 0)
        self.assertIsNone(session.reason)


class PingTest(GatewayCase):
    async def test_browser_that_answers_stays(self) -> None:
        await self.serve_display(echo)
        await self.open()
        (connection,) = self.connections._websockets
        now = asyncio.get_running_loop().time()
        for _ in range(5):
            now += 25.1
            self.connections.sweep(now)
            self.assertEqual(1, connection._unanswered)
            await wait_until_async(lambda: connection._unanswered == 0)
        self.assertEqual([], self.broker.reasons)

    async def test_browser_that_does_not_answer_is_lost_in_a_minute(
        self,
    ) -> None:
        await self.serve_display(echo)
        reader, _ = await self.open_raw()
        await reader.readuntil(b"\r\n\r\n")
        now = asyncio.get_running_loop().time()
        for second in range(58):
            self.connections.sweep(now + second)
        self.assertEqual([], self.broker.reasons)
        self.connections.sweep(now + 60)
        self.assertEqual([CloseReason.CONNECTION_LOST], self.broker.reasons)
        self.assertEqual(2 * b"\x89\x00", (await reader.read())[:4])

    async def test_any_data_shows_that_browser_is_there(self) -> None:
        await self.serve_display(echo)
        reader, writer = await self.open_raw()
        await reader.readuntil(b"\r\n\r\n")
        (connection,) = self.connections._websockets
        now = asyncio.get_running_loop().time()
        for number in range(5):
            self.connections.sweep(now + 26 * (number + 1))
            writer.write(frame(b"key"))
            await wait_until_async(lambda: connection._unanswered == 0)
        self.assertEqual([], self.broker.reasons)

    async def test_browser_waits_for_slow_display(self) -> None:
        is_over = asyncio.Event()

        async def stall(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await is_over.wait()

        await self.serve_display(stall)
        browser = await self.open()
        (connection,) = self.connections._websockets

        async def flood() -> None:
            while True:
                await browser.send(bytes(2**16))

        sending = asyncio.create_task(flood())
        await wait_until_async(lambda: connection._is_paused)
        now = asyncio.get_running_loop().time()
        for second in range(200):
            self.connections.sweep(now + second)
        self.assertEqual([], self.broker.reasons)
        sending.cancel()
        is_over.set()


class CutTest(GatewayCase):
    async def test_cut_says_why_and_closes_display(self) -> None:
        is_closed = asyncio.Event()

        async def wait(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await reader.read()
            is_closed.set()
            writer.close()

        await self.serve_display(wait)
        browser = await self.open()
        (session,) = self.broker.open_sessions
        session.cut(CloseReason.REVOKED)
        session.cut(CloseReason.LOCKED)
        self.assertEqual(
            (CloseReason.REVOKED.code, CloseReason.REVOKED.text),
            await self.closed(browser),
        )
        self.assertEqual([CloseReason.REVOKED], self.broker.reasons)
        async with asyncio.timeout(websocket._CLOSE_TIMEOUT):
            await is_closed.wait()

    async def test_display_is_closed_with_browser(self) -> None:
        is_closed = asyncio.Event()

        async def wait(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await reader.read()
            is_closed.set()
            writer.close()

        await self.serve_display(wait)
        _, writer = await self.open_raw()
        await wait_until_async(lambda: bool(self.connections.sessions))
        writer.close()
        async with asyncio.timeout(2):
            await is_closed.wait()

    async def test_browser_that_ignores_close_is_disconnected(self) -> None:
        with mock.patch.object(websocket, "_CLOSE_TIMEOUT", 0.01):
            await self.serve_display(echo)
            reader, _ = await self.open_raw()
            await reader.readuntil(b"\r\n\r\n")
            (session,) = self.connections.sessions
            session.cut(CloseReason.CUT)
            await wait_until_async(lambda: len(self.connections) == 0)
