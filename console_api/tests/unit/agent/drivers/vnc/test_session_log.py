# SPDX-License-Identifier: Apache-2.0
import asyncio
import dataclasses

from console_api.agent.drivers.vnc import session, session_log
from console_api.agent.drivers.vnc.displays import Display
from console_api.net.dial import DialError
from console_api.tests.unit.agent.drivers.vnc.base import (
    FAILED,
    OK,
    ConsoleCase,
    Viewer,
)
from console_api.tests.waiting import wait_until_async

SESSION = (
    r"console 12, server server-1, compute host compute-1, display "
    r"127\.0\.0\.1:5900, viewer 127\.0\.0\.1, security VncAuth"
)


class SessionLogTest(ConsoleCase):
    limits = dataclasses.replace(ConsoleCase.limits, idle_timeout=1)

    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        self.logs = self.enterContext(
            self.assertLogs(session_log.LOG, "INFO")
        ).output

    async def start(self) -> Viewer:
        """Start a session in which a picture has been sent."""
        viewer = await self.connect()
        self.assertEqual(OK, await viewer.authenticate())
        viewer.send(b"\1")
        await wait_until_async(lambda: bool(self.displays))
        loop = asyncio.get_running_loop()
        self.assertEqual(b"\1", await loop.sock_recv(self.displays[0], 1))
        self.displays[0].send(bytes(1000))
        await viewer.receive(1000)
        return viewer

    async def assert_ended(self, reason: str) -> None:
        """Assert that start and end are logged, in one line each."""
        await wait_until_async(lambda: not self.listener._tasks)
        start, end = self.logs
        self.assertRegex(start, rf"Session started: {SESSION}\.$")
        # The handshake has 34 and 29 bytes, ClientInit one.
        self.assertRegex(
            end,
            rf"Session ended: {SESSION}, duration \d+\.\d s, 1034 bytes to "
            rf"the viewer, 30 bytes from the viewer, reason: {reason}\.$",
        )

    async def test_closed_by_viewer(self) -> None:
        viewer = await self.start()
        viewer.close()
        await self.assert_ended("closed by the viewer")

    async def test_closed_by_display(self) -> None:
        await self.start()
        self.displays[0].close()
        await self.assert_ended("closed by the display.*")

    async def test_idle_timeout(self) -> None:
        await self.start()
        await self.assert_ended("idle timeout")

    async def test_closed_listener(self) -> None:
        await self.start()
        self.listener.close("the console was deleted")
        await self.assert_ended("the console was deleted")


class NoClientInitTest(ConsoleCase):
    async def test_viewer_that_leaves_early_is_logged(self) -> None:
        with self.assertLogs(session_log.LOG, "INFO") as logs:
            viewer = await self.connect()
            self.assertEqual(OK, await viewer.authenticate())
            viewer.close()
            await wait_until_async(lambda: not self.listener._tasks)
        self.assertIn("reason: closed by the other", logs.output[1])


class UnreachableTest(ConsoleCase):
    async def open_display(self, server_id: str) -> Display:
        raise DialError("192.0.2.9:5900 on compute-1: It is off.")

    async def test_unreachable_display_is_one_line(self) -> None:
        with self.assertLogs("console_api", "INFO") as logs:
            viewer = await self.connect()
            self.assertEqual(FAILED, await viewer.authenticate())
            self.assertIn("cannot be reached", await viewer.reason())
        self.assertEqual(
            [
                f"WARNING:{session.LOG.name}:Display cannot be reached: "
                "192.0.2.9:5900 on compute-1: It is off. Console 12, server "
                "server-1, viewer 127.0.0.1."
            ],
            logs.output,
        )
