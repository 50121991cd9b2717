# SPDX-License-Identifier: Apache-2.0
import aiohttp

from console_api.tests.unit.base import load_conf
from console_api.tests.unit.gateway.worker_case import WorkerCase
from console_api.tests.waiting import wait_until_async


class DrainTest(WorkerCase):
    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        await self.serve_display()
        # The second session is closed after half of it.
        await self.start(grace_time=3600)
        self.addCleanup(self.running.cancel)
        self.browsers = [await self.connect() for _ in range(2)]

    async def test_open_connection_is_refused_everything(self) -> None:
        url = f"http://127.0.0.1:{self.port}"
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(url, connector=connector) as client:
            async with client.get("/health") as answer:
                self.assertEqual(200, answer.status)
            self.worker.stop()
            await wait_until_async(self.is_one_closed)
            # By the same connection: others are not accepted any more.
            async with client.get("/health") as answer:
                self.assertEqual(503, answer.status)
            with self.assertRaises(aiohttp.WSServerHandshakeError) as caught:
                await client.ws_connect("/?token=T")
            self.assertEqual(503, caught.exception.status)

    async def test_monitoring_reports_drain(self) -> None:
        for path in ("/health", "/ready"):
            answer = await self.get(path, self.monitoring_port)
            self.assertEqual(200, answer.status)
        self.worker.stop()
        await wait_until_async(self.is_one_closed)
        for path in ("/health", "/ready"):
            answer = await self.get(path, self.monitoring_port)
            self.assertEqual(
                (503, b"Stopping.\n"), (answer.status, answer.body)
            )

    def is_one_closed(self) -> bool:
        """Return whether the worker has closed the first session."""
        return any(browser.close_code for browser in self.browsers)


class ReloadTest(WorkerCase):
    async def test_proxy_protocol_is_used_without_restart(self) -> None:
        await self.start()
        request = (
            b"PROXY TCP4 192.0.2.9 127.0.0.1 1 2\r\n"
            b"GET /health HTTP/1.1\r\nHost: gateway\r\n\r\n"
        )
        self.assertEqual(400, (await self.send(request)).status)
        options = {"trusted_proxies": "127.0.0.1", "proxy_protocol": True}
        self.worker.reload(load_conf(self.folder, {"gateway": options}))
        self.assertEqual(200, (await self.send(request)).status)
