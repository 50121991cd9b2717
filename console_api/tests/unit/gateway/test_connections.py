# SPDX-License-Identifier: Apache-2.0
import asyncio
from unittest import mock

from console_api.gateway import connections
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.session import Session
from console_api.tests.unit.gateway.base import GatewayCase, echo
from console_api.tests.waiting import wait_until_async


class OpenTest(GatewayCase):
    async def test_data_passes_both_ways(self) -> None:
        await self.serve_display(echo)
        browser = await self.open()
        await browser.send(b"hello")
        self.assertEqual(b"hello", await browser.recv())
        (session,) = self.connections.sessions
        self.assertEqual(
            (5, 5), (session.traffic.bytes_in, session.traffic.bytes_out)
        )
        await browser.close()
        await wait_until_async(lambda: len(self.connections) == 0)
        self.assertEqual([CloseReason.CLIENT_CLOSED], self.broker.reasons)
        self.assertEqual(
            [("opened", None), ("closed", CloseReason.CLIENT_CLOSED)],
            self.observer.events,
        )

    async def test_http_server_forgets_connection(self) -> None:
        await self.serve_display(echo)
        await self.open()
        self.assertEqual([], self.server.connections)
        await wait_until_async(lambda: len(asyncio.all_tasks()) < 5)


class DrainTest(GatewayCase):
    async def test_sessions_are_closed_one_after_another(self) -> None:
        await self.serve_display(echo)
        browsers = [await self.open() for _ in range(5)]
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self.connections.drain(0.2)
        self.assertGreaterEqual(loop.time() - began, 0.16)
        self.assertEqual(0, len(self.connections))
        for browser in browsers:
            self.assertEqual(1012, (await self.closed(browser))[0])
        self.assertEqual(
            5 * [CloseReason.GATEWAY_STOPPED], self.broker.reasons
        )

    async def test_session_being_opened_is_refused(self) -> None:
        is_dialled = asyncio.Event()

        async def greet(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await is_dialled.wait()
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await reader.read()

        await self.serve_display(greet, internal_access_path="/path")
        opening = asyncio.create_task(self.open())
        await wait_until_async(lambda: bool(self.broker.credentials))
        draining = asyncio.create_task(self.connections.drain(0))
        await wait_until_async(lambda: self.services.is_draining)
        is_dialled.set()
        self.assertEqual(1012, (await self.closed(await opening))[0])
        await draining
        self.assertEqual(
            [CloseReason.GATEWAY_STOPPED], self.broker.abandoned_reasons
        )

    async def test_browser_that_stays_does_not_stop_drain(self) -> None:
        await self.serve_display(echo)
        reader, _ = await self.open_raw()
        await reader.readuntil(b"\r\n\r\n")
        with mock.patch.object(connections, "_LAST_CLOSE_TIMEOUT", 0.01):
            await self.connections.drain(0)
        self.assertEqual(1, len(self.connections))


class SweepTest(GatewayCase):
    async def test_run_sweeps(self) -> None:
        await self.serve_display(echo, max_duration=1)
        browser = await self.open()
        with mock.patch.object(connections, "_SWEEP_INTERVAL", 0.01):
            running = asyncio.create_task(self.connections.run())
            code, _ = await self.closed(browser)
            running.cancel()
        self.assertEqual(CloseReason.TIME_LIMIT.code, code)

    async def test_session_that_fails_is_closed_alone(self) -> None:
        await self.serve_display(echo)
        await self.open()
        (failing,) = self.connections.sessions
        other = await self.open()
        original = Session._is_late

        def fail(session: Session, now: float) -> bool:
            if session is failing:
                raise ZeroDivisionError
            return original(session, now)

        with mock.patch.object(Session, "_is_late", fail):
            self.connections.sweep(0)
        self.assertEqual([CloseReason.GATEWAY_ERROR], self.broker.reasons)
        await other.send(b"hello")
        self.assertEqual(b"hello", await other.recv())
