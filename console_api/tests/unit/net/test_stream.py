# SPDX-License-Identifier: Apache-2.0
import asyncio
import contextlib
import socket
import unittest
from unittest import mock

from console_api.net import stream
from console_api.net.stream import Stream

# More than the kernel keeps of what nobody reads.
_MUCH = 16 * 2**20


class StreamTest(unittest.IsolatedAsyncioTestCase):
    async def connected(self) -> tuple[Stream, socket.socket]:
        """Return a stream, and the socket at the other end of it."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            other = socket.create_connection(listening.getsockname())
            self.addCleanup(other.close)
            other.setblocking(False)
            accepted, _ = listening.accept()
        stream = await Stream.accept(accepted)
        self.addCleanup(stream._transport.abort)
        return stream, other

    async def receive_all(self, other: socket.socket) -> int:
        """Return how many bytes come until the end."""
        loop, count = asyncio.get_running_loop(), 0
        with contextlib.suppress(ConnectionResetError):
            while data := await loop.sock_recv(other, 2**20):
                count += len(data)
        return count

    async def test_who_hangs_up_and_reads_nothing_is_cut_off(self) -> None:
        one, other = await self.connected()
        one.write(bytes(_MUCH))
        other.shutdown(socket.SHUT_WR)
        await one.over
        with mock.patch.object(stream, "_CLOSE_TIMEOUT", 0.01):
            one.close()
        await asyncio.sleep(0.2)
        self.assertLess(await self.receive_all(other), _MUCH)

    async def test_what_came_before_the_pipe_counts_too(self) -> None:
        loop = asyncio.get_running_loop()
        viewer, person = await self.connected()
        screen, _ = await self.connected()
        # What a viewer may send behind its handshake, to a slow screen.
        screen.write(bytes(_MUCH))
        viewer.pipe_into(screen)
        screen.pipe_into(viewer)
        with self.assertRaises(TimeoutError):
            async with asyncio.timeout(0.5):
                await loop.sock_sendall(person, bytes(4 * _MUCH))
