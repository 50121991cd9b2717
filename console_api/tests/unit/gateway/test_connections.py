# SPDX-License-Identifier: Apache-2.0
import asyncio

from console_api.gateway.close_reasons import CloseReason
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
