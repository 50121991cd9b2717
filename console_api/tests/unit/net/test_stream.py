# SPDX-License-Identifier: Apache-2.0
import asyncio
import contextlib
import socket
import unittest
from unittest import mock

from console_api.net import stream
from console_api.net.stream import Stream
from console_api.rfb.endpoint import (
    Credentials,
    EndpointHandshake,
    TLSUse,
)
from console_api.tests.unit.rfb.base import V3
from console_api.tests.waiting import wait_until_async

# More bytes than the kernel buffers.
_MANY = 16 * 2**20


def handshake() -> EndpointHandshake:
    return EndpointHandshake(Credentials(), TLSUse.NEVER)


class RecordingEnd:
    """An end of a pipe that records what the other end does."""

    def __init__(self) -> None:
        self.over = asyncio.get_running_loop().create_future()
        self.written = bytearray()
        self.is_paused = False

    def write(self, data: bytes) -> None:
        self.written += data

    def pause(self) -> None:
        self.is_paused = True

    def resume(self) -> None:
        self.is_paused = False


class StreamTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.other = socket.create_connection(listening.getsockname())
            self.addCleanup(self.other.close)
            self.other.setblocking(False)
            accepted, _ = listening.accept()
        self.stream = await Stream.accept(accepted)

    async def asyncTearDown(self) -> None:
        self.other.close()
        self.stream.close()
        await self.stream.over

    async def receive_all(self) -> int:
        """Return how many bytes arrive until the end."""
        loop, count = asyncio.get_running_loop(), 0
        with contextlib.suppress(ConnectionResetError):
            while data := await loop.sock_recv(self.other, 2**20):
                count += len(data)
        return count

    async def test_close_discards_output_that_is_not_read(self) -> None:
        self.stream.write(bytes(_MANY))
        self.other.shutdown(socket.SHUT_WR)
        await self.stream.over
        with mock.patch.object(stream, "_CLOSE_TIMEOUT", 0):
            self.stream.close()
        await asyncio.sleep(0)
        self.assertLess(await self.receive_all(), _MANY)

    async def test_detach_gives_transport_and_unread_bytes_away(self) -> None:
        self.other.send(b"early")
        await wait_until_async(lambda: bytes(self.stream._unread) == b"early")
        transport, unread = self.stream.detach()
        self.assertEqual(b"early", unread)
        self.assertFalse(transport.is_reading())
        self.assertEqual(b"", self.stream._take_unread())

    async def test_detach_of_closed_stream_is_an_error(self) -> None:
        self.other.close()
        await self.stream.over
        with self.assertRaises(ConnectionResetError):
            self.stream.detach()

    async def test_bytes_behind_handshake_go_into_pipe(self) -> None:
        self.other.send(V3 + b"\0\0\0\1" + b"more")
        await self.stream.perform(handshake())
        peer = RecordingEnd()
        self.stream.pipe_into(peer)
        self.assertEqual(b"more", peer.written)

    async def test_full_stream_pauses_peer_until_drained(self) -> None:
        self.stream.write(bytes(_MANY))
        peer = RecordingEnd()
        self.stream.pipe_into(peer)
        self.assertTrue(peer.is_paused)
        loop, count = asyncio.get_running_loop(), 0
        while count < _MANY:
            count += len(await loop.sock_recv(self.other, 2**20))
        self.assertFalse(peer.is_paused)

    async def test_paused_stream_does_not_read(self) -> None:
        self.stream.pause()
        peer = RecordingEnd()
        self.stream.pipe_into(peer)
        self.other.send(b"data")
        for _ in range(10):
            await asyncio.sleep(0)
        self.assertEqual(b"", peer.written)
        self.stream.resume()
        await wait_until_async(lambda: peer.written == b"data")

    async def test_perform_reports_closed_connection(self) -> None:
        self.other.close()
        with self.assertRaisesRegex(ConnectionResetError, "closed by"):
            await self.stream.perform(handshake())
