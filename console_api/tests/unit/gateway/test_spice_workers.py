# SPDX-License-Identifier: Apache-2.0
import asyncio
import contextlib
import socket
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

from console_api.gateway.brokers.base import Refused
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.spice_channels import MAX_CHANNELS, SpiceSessions
from console_api.gateway.spice_workers import SpiceWorkers
from console_api.tests.unit.gateway.test_spice_channels import (
    GRANT,
    ID,
    OTHERS,
    SECRET,
    Channel,
    link,
)
from console_api.tests.waiting import wait_until_async


class SpiceWorkersTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.sessions = SpiceSessions()
        self.session = self.sessions.begin(SECRET, GRANT)
        self.session.connection_id = ID
        self.owner = await self.start(self.sessions, "2")
        self.other = await self.start(SpiceSessions(), "1")
        await self.start(SpiceSessions(), "3")

    async def start(self, sessions: SpiceSessions, name: str) -> SpiceWorkers:
        worker = SpiceWorkers(sessions, self.folder, name)
        await worker.start()
        self.addCleanup(worker.close)
        return worker

    async def test_channel_joins_at_each_worker(self) -> None:
        for worker in (self.owner, self.other):
            async with worker.join(SECRET, link(), Channel()) as grant:
                self.assertEqual(GRANT, grant)
                self.assertEqual(1, len(self.session.channels))
            await wait_until_async(lambda: not self.session.channels)

    async def test_channel_is_cut_with_main(self) -> None:
        channel = Channel()
        async with self.other.join(SECRET, link(), channel):
            self.sessions.end(SECRET, self.session, CloseReason.LOCKED)
            await wait_until_async(lambda: bool(channel.reasons))
        self.assertEqual([CloseReason.LOCKED], channel.reasons)

    async def test_channel_is_cut_with_worker_of_main(self) -> None:
        channel = Channel()
        async with self.other.join(SECRET, link(), channel):
            self.owner.close()
            await wait_until_async(lambda: bool(channel.reasons))
        self.assertEqual([CloseReason.GATEWAY_STOPPED], channel.reasons)

    async def test_unknown_channels_are_refused(self) -> None:
        for credential, asked in (
            (SECRET, link(connection_id=ID + 1)),
            *((credential, link()) for credential in OTHERS),
        ):
            with self.assertRaises(Refused) as caught:
                async with self.other.join(credential, asked, Channel()):
                    pass
            self.assertEqual("unknown_channel", caught.exception.label)

    async def test_refusal_of_worker_of_main(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(MAX_CHANNELS):
                joined = self.other.join(SECRET, link(), Channel())
                await stack.enter_async_context(joined)
            with self.assertRaises(Refused) as caught:
                async with self.other.join(SECRET, link(), Channel()):
                    pass
        self.assertIs(CloseReason.LIMIT_REACHED, caught.exception.reason)
        self.assertEqual("channel_limit", caught.exception.label)

    async def test_view_only_applies_at_each_worker(self) -> None:
        self.session.grant = replace(GRANT, view_only=True)
        with self.assertRaises(Refused) as caught:
            async with self.other.join(SECRET, link(3), Channel()):
                pass
        self.assertIs(CloseReason.VIOLATION, caught.exception.reason)

    async def test_socket_of_killed_worker_is_ignored(self) -> None:
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(self.folder / "0.sock"))
        async with self.other.join(SECRET, link(), Channel()) as grant:
            self.assertEqual(GRANT, grant)

    async def test_garbage_is_ignored(self) -> None:
        for garbage in (b"", b"\n", b"GET / HTTP/1.1\n"):
            reader, writer = await asyncio.open_unix_connection(
                self.folder / "2.sock"
            )
            writer.write(garbage)
            writer.write_eof()
            self.assertEqual(b"", await reader.read())
            writer.close()
        async with self.other.join(SECRET, link(), Channel()) as grant:
            self.assertEqual(GRANT, grant)
