# SPDX-License-Identifier: Apache-2.0
"""Sessions whose display goes away."""

import asyncio
import dataclasses
import functools
import itertools
import socket
from unittest import mock

from console_api.agent.drivers.vnc import relay
from console_api.agent.drivers.vnc.displays import Display
from console_api.net.dial import DialError, DialRefused
from console_api.rfb.messages.encodings import RAW
from console_api.tests.unit.agent.drivers.vnc.base import (
    OK,
    ConsoleCase,
    Viewer,
)
from console_api.tests.unit.rfb.messages import samples
from console_api.tests.waiting import TIMEOUT, wait_until_async

PICTURE = samples.FROM_DISPLAY["raw"]


class RelayCase(ConsoleCase):
    limits = dataclasses.replace(ConsoleCase.limits, reconnect_timeout=60)

    async def asyncSetUp(self) -> None:
        #: What connecting raises; one after the other.
        self.errors: list[Exception] = []
        patch = mock.patch.object(relay, "_FIRST_DELAY", 0)
        patch.start()
        self.addCleanup(patch.stop)
        await super().asyncSetUp()

    async def open_display(self, server_id: str) -> Display:
        if self.displays and self.errors:
            raise self.errors.pop(0)
        return await super().open_display(server_id)

    async def start(self) -> Viewer:
        """Start a session with a picture."""
        viewer = await self.connect()
        self.assertEqual(OK, await viewer.authenticate())
        viewer.send(b"\1")
        await self.initialize(1)
        self.assertEqual(
            samples.SERVER_INIT, await viewer.receive(len(samples.SERVER_INIT))
        )
        viewer.send(samples.UPDATE_REQUEST)
        await self.receive(samples.UPDATE_REQUEST)
        self.displays[-1].send(PICTURE)
        self.assertEqual(PICTURE, await viewer.receive(len(PICTURE)))
        return viewer

    def has_displays(self, count: int) -> bool:
        return len(self.displays) >= count

    async def initialize(self, count: int) -> None:
        """Send ServerInit from a display, counted from 1."""
        await wait_until_async(lambda: self.has_displays(count))
        await self.receive(b"\1")
        self.displays[-1].send(samples.SERVER_INIT)

    async def receive(self, expected: bytes) -> None:
        """Wait until the last display receives certain bytes."""
        loop = asyncio.get_running_loop()
        received = b""
        async with asyncio.timeout(TIMEOUT):
            while len(received) < len(expected):
                more = await loop.sock_recv(
                    self.displays[-1], len(expected) - len(received)
                )
                self.assertTrue(more)
                received += more
        self.assertEqual(expected, received)

    async def end(self, viewer: Viewer) -> str:
        """Wait until the session ends; return the last line of the log."""
        with self.assertLogs("console_api.agent.drivers.vnc") as logs:
            self.assertEqual(b"", await viewer.receive_rest())
            await wait_until_async(lambda: not self.listener._tasks)
        return logs.output[-1]


class ReconnectTest(RelayCase):
    async def test_viewer_continues_with_next_display(self) -> None:
        viewer = await self.start()
        for count in range(2, 5):
            self.displays[-1].close()
            await self.initialize(count)
            await self.receive(
                samples.set_pixel_format() + samples.FULL_REQUEST
            )
            viewer.send(samples.KEY_EVENT)
            await self.receive(samples.KEY_EVENT)
            self.displays[-1].send(PICTURE)
            self.assertEqual(PICTURE, await viewer.receive(len(PICTURE)))

    async def test_retries_until_display_returns(self) -> None:
        viewer = await self.start()
        self.errors += [DialError("Connection refused.")] * 3
        self.displays[-1].close()
        await self.initialize(2)
        self.displays[-1].send(PICTURE)
        self.assertEqual(PICTURE, await viewer.receive(len(PICTURE)))

    async def test_refusal_ends_session(self) -> None:
        viewer = await self.start()
        self.errors.append(DialRefused("The server does not exist."))
        self.displays[-1].close()
        self.assertIn(
            "reason: closed by the display: The server does not exist.",
            await self.end(viewer),
        )

    async def test_incomplete_update_ends_session(self) -> None:
        viewer = await self.start()
        self.displays[-1].send(samples.FROM_DISPLAY["zrle"][:-1])
        await viewer.receive(len(samples.FROM_DISPLAY["zrle"]) - 1)
        self.displays[-1].close()
        self.assertIn("update is incomplete", await self.end(viewer))

    async def test_incomplete_raw_update_is_completed(self) -> None:
        viewer = await self.start()
        self.displays[-1].send(PICTURE[:-3])
        self.displays[-1].close()
        self.assertEqual(PICTURE, await viewer.receive(len(PICTURE)))
        await self.initialize(2)

    async def test_display_is_not_opened_before_viewer_has_read(self) -> None:
        viewer = await self.start()
        size = 1024
        update = samples.update(
            samples.rectangle(RAW, width=size, height=size)
        )
        self.displays[-1].send(update)
        self.displays[-1].close()
        # The rest of the picture is made up, more than can be sent at once.
        self.assertEqual(update, await viewer.receive(len(update)))
        for _ in range(100):
            await asyncio.sleep(0)
        self.assertFalse(self.has_displays(2))
        await viewer.receive(4 * size * size)
        await self.initialize(2)

    async def test_session_without_tracking_ends(self) -> None:
        viewer = await self.start()
        viewer.send(b"\x63")
        await self.receive(b"\x63")
        self.displays[-1].send(PICTURE + b"\x63more")
        self.assertEqual(
            PICTURE + b"\x63more", await viewer.receive(len(PICTURE) + 5)
        )
        self.displays[-1].close()
        self.assertIn("of type 99", await self.end(viewer))

    async def test_unsupported_extension_ends_session(self) -> None:
        viewer = await self.start()
        self.displays[-1].send(samples.END_OF_UPDATES)
        await viewer.receive(1)
        viewer.send(samples.ENABLE_UPDATES)
        await self.receive(samples.ENABLE_UPDATES)
        self.displays[-1].close()
        await self.initialize(2)
        self.displays[-1].send(PICTURE)
        with self.assertLogs("console_api.agent.drivers.vnc") as logs:
            await viewer.receive_rest()
            await wait_until_async(lambda: not self.listener._tasks)
        self.assertIn("supports continuous updates", logs.output[-1])

    async def test_extension_is_announced_again(self) -> None:
        viewer = await self.start()
        self.displays[-1].send(samples.END_OF_UPDATES)
        await viewer.receive(1)
        viewer.send(samples.ENABLE_UPDATES)
        await self.receive(samples.ENABLE_UPDATES)
        self.displays[-1].close()
        await self.initialize(2)
        self.displays[-1].send(samples.END_OF_UPDATES + PICTURE)
        self.assertEqual(PICTURE, await viewer.receive(len(PICTURE)))
        await self.receive(
            samples.set_pixel_format()
            + samples.FULL_REQUEST
            + samples.ENABLE_UPDATES
        )


class WaitingCase(RelayCase):
    """Sessions end without a display."""

    async def lose(self) -> Viewer:
        """Start a session and lose its display; the next one is silent."""
        viewer = await self.start()
        self.displays[-1].close()
        await wait_until_async(lambda: self.has_displays(2))
        await self.receive(b"\1")
        return viewer

    async def assert_display_is_left(self) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(TIMEOUT):
            rest = await loop.sock_recv(self.displays[-1], 1)
        self.assertEqual(b"", rest)


class WaitingTest(WaitingCase):
    async def test_viewer_closes(self) -> None:
        viewer = await self.lose()
        viewer.close()
        await self.assert_display_is_left()
        await wait_until_async(lambda: not self.listener._tasks)

    async def test_console_is_deleted(self) -> None:
        viewer = await self.lose()
        for task in self.listener._tasks:  # As the listener does.
            task.cancel()
        self.assertEqual(b"", await viewer.receive_rest())
        await self.assert_display_is_left()

    async def test_viewer_sends_unknown_message(self) -> None:
        viewer = await self.lose()
        viewer.send(b"\x63")
        self.assertIn("of type 99", await self.end(viewer))
        await self.assert_display_is_left()


class IdleTest(WaitingCase):
    limits = dataclasses.replace(RelayCase.limits, idle_timeout=1)

    async def test_idle_timeout(self) -> None:
        viewer = await self.lose()
        self.assertIn("idle timeout", await self.end(viewer))
        await self.assert_display_is_left()


class ReconnectTimeoutTest(RelayCase):
    limits = dataclasses.replace(RelayCase.limits, reconnect_timeout=1)

    async def test_silent_display(self) -> None:
        viewer = await self.start()
        self.displays[-1].close()
        self.assertIn("did not return in time", await self.end(viewer))

    async def test_display_that_closes_again_and_again(self) -> None:
        viewer = await self.start()
        self.displays[-1].close()

        async def close_all() -> None:
            for count in itertools.count(2):
                await wait_until_async(
                    functools.partial(self.has_displays, count)
                )
                self.displays[-1].send(samples.SERVER_INIT)
                self.displays[-1].shutdown(socket.SHUT_WR)

        closing = asyncio.create_task(close_all())
        self.assertIn("did not return in time", await self.end(viewer))
        closing.cancel()


class DisabledTest(RelayCase):
    limits = dataclasses.replace(RelayCase.limits, reconnect_timeout=0)

    async def test_session_ends_with_its_display(self) -> None:
        viewer = await self.start()
        self.displays[-1].close()
        self.assertIn("closed by the display", await self.end(viewer))
        self.assertEqual(1, len(self.displays))


del ConsoleCase, RelayCase, WaitingCase
