# SPDX-License-Identifier: Apache-2.0
import asyncio
import contextlib
import itertools
import ssl
import struct
from collections.abc import Iterator

from websockets.asyncio.client import ClientConnection

from console_api.gateway.close_reasons import CloseReason
from console_api.tests import certificates
from console_api.tests.unit.gateway.base import GatewayCase, echo, frame
from console_api.tests.waiting import wait_until_async

# More bytes than all buffers together.
_MANY = 16 * 2**20

# Sizes of what is sent at once, around those of headers and buffers.
_SIZES = (1, 125, 126, 4095, 4097, 65535, 65536, 262144, 300000, 3)


def coded(count: int) -> bytes:
    """Return bytes that differ by their position."""
    words = (count + 7) // 8
    return struct.pack(f">{words}Q", *range(words))[:count]


def split(data: bytes) -> Iterator[bytes]:
    """Split data into parts of many sizes."""
    start = 0
    for size in itertools.cycle(_SIZES):
        if start >= len(data):
            return
        yield data[start : start + size]
        start += size


class Source:
    """A display that sends data, and waits for the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        #: How many bytes its socket and asyncio have taken.
        self.sent = 0

    async def __call__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(ConnectionError):
            for part in split(self._data):
                writer.write(part)
                await writer.drain()
                self.sent += len(part)
            await reader.read()
        writer.close()


async def read_all(browser: ClientConnection, count: int) -> bytes:
    """Wait for a number of bytes in any frames."""
    received = bytearray()
    while len(received) < count:
        message = await browser.recv(decode=False)
        received += message
    return bytes(received)


async def send_all(browser: ClientConnection, data: bytes) -> None:
    """Send data in many frames."""
    for part in split(data):
        await browser.send(part)


class DisplayToBrowserTest(GatewayCase):
    async def test_all_bytes_arrive_in_order(self) -> None:
        data = coded(_MANY)
        await self.serve_display(Source(data))
        browser = await self.open()
        self.assertTrue(data == await read_all(browser, len(data)))

    async def test_sessions_do_not_mix_their_bytes(self) -> None:
        data = coded(_MANY // 4)
        await self.serve_display(Source(data))
        browsers = [await self.open() for _ in range(4)]
        received = await asyncio.gather(
            *(read_all(browser, len(data)) for browser in browsers)
        )
        self.assertEqual([True] * 4, [data == every for every in received])

    async def test_kept_buffer_is_not_written_again(self) -> None:
        # A transport of Python 3.12 or later keeps what it cannot send.
        data = coded(_MANY)
        await self.serve_display(Source(data))
        browser = await self.open()
        (websocket,) = self.connections._websockets
        kept: list[memoryview] = []
        transport = websocket._transport

        class Keeping:
            """A transport that sends later what it is given."""

            def __getattr__(self, name: str) -> object:
                return getattr(transport, name)

            def get_write_buffer_size(self) -> int:
                return sum(map(len, kept)) + transport.get_write_buffer_size()

            def write(self, data: bytes | memoryview) -> None:
                kept.append(memoryview(data))
                asyncio.get_running_loop().call_later(0.001, self.send)

            def send(self) -> None:
                while kept:
                    transport.write(bytes(kept.pop(0)))

        websocket._transport = Keeping()  # type: ignore[assignment]
        self.assertTrue(data == await read_all(browser, len(data)))
        websocket._transport = transport

    async def test_slow_browser_stops_display(self) -> None:
        source = Source(coded(_MANY))
        await self.serve_display(source)
        reader, _ = await self.open_raw()
        await reader.readuntil(b"\r\n\r\n")
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        (websocket,) = self.connections._websockets
        (session,) = self.connections.sessions
        display = session._display
        assert display is not None
        await wait_until_async(lambda: not display._transport.is_reading())
        self.assertLess(source.sent, _MANY)
        unsent = websocket._transport.get_write_buffer_size()
        self.assertLess(unsent, 2**19)

    async def test_display_may_speak_first(self) -> None:
        async def greet(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            writer.write(b"login: ")
            await reader.read()
            writer.close()

        await self.serve_display(greet)
        browser = await self.open()
        self.assertEqual(b"login: ", await browser.recv())

    async def test_last_bytes_arrive_before_close(self) -> None:
        data = coded(2**20)

        async def send(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            writer.write(data)
            writer.close()

        await self.serve_display(send)
        browser = await self.open()
        self.assertTrue(data == await read_all(browser, len(data)))
        self.assertEqual(
            CloseReason.DISPLAY_CLOSED.code, (await self.closed(browser))[0]
        )


class BrowserToDisplayTest(GatewayCase):
    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        self.received = bytearray()

    async def record(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Be a display that keeps what it receives."""
        while data := await reader.read(65536):
            self.received += data
        writer.close()

    async def test_all_bytes_arrive_in_order(self) -> None:
        data = coded(_MANY // 4)
        await self.serve_display(self.record)
        browser = await self.open()
        await send_all(browser, data)
        await wait_until_async(lambda: len(self.received) >= len(data))
        self.assertTrue(data == self.received)

    async def test_fragments_and_control_frames_between_them(self) -> None:
        await self.serve_display(self.record)
        reader, writer = await self.open_raw()
        await reader.readuntil(b"\r\n\r\n")
        stream = (
            frame(b"one ", fin=False)
            + frame(b"ping", 9)
            + frame(b"two ", 0, fin=False)
            + frame(b"", 0, fin=False)
            + frame(b"three", 0)
        )
        for byte in stream:
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        await wait_until_async(lambda: self.received == b"one two three")
        self.assertEqual(b"\x8a\x04ping", await reader.readexactly(6))

    async def test_frames_before_answer_are_kept(self) -> None:
        await self.serve_display(self.record)
        _, writer = await self.open_raw()
        writer.write(frame(b"early"))
        await wait_until_async(lambda: self.received == b"early")

    async def test_slow_display_stops_browser(self) -> None:
        is_over = asyncio.Event()

        async def stall(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await is_over.wait()
            writer.close()

        await self.serve_display(stall)
        browser = await self.open()
        sending = asyncio.create_task(send_all(browser, bytes(2 * _MANY)))
        self.addCleanup(sending.cancel)
        (websocket,) = self.connections._websockets
        await wait_until_async(lambda: not websocket._transport.is_reading())
        (session,) = self.connections.sessions
        self.assertLess(session.traffic.bytes_in, _MANY)
        is_over.set()

    async def test_pings_of_browser_that_does_not_read_are_dropped(
        self,
    ) -> None:
        await self.serve_display(Source(coded(_MANY)))
        reader, writer = await self.open_raw()
        await reader.readuntil(b"\r\n\r\n")
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        (websocket,) = self.connections._websockets
        await wait_until_async(lambda: websocket._is_full)
        unsent = websocket._transport.get_write_buffer_size()
        for _ in range(100):
            writer.write(1000 * frame(bytes(125), 9))
            await writer.drain()
        self.assertLessEqual(
            websocket._transport.get_write_buffer_size(), unsent
        )


class TLSTest(GatewayCase):
    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        authority = certificates.make(self.folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.certificate_file, authority.key_file)
        listening = await asyncio.get_running_loop().create_server(
            self.server, "127.0.0.1", 0, ssl=context
        )
        self.addCleanup(listening.close)
        self.port = listening.sockets[0].getsockname()[1]
        self.scheme = "wss"
        self.tls = ssl.create_default_context(cafile=authority.ca_file)

    async def test_all_bytes_arrive_in_order(self) -> None:
        data = coded(_MANY // 2)
        await self.serve_display(Source(data))
        browser = await self.open(ssl=self.tls)
        self.assertTrue(data == await read_all(browser, len(data)))

    async def test_echo(self) -> None:
        data = coded(_MANY // 8)
        await self.serve_display(echo)
        browser = await self.open(ssl=self.tls)
        reading = asyncio.create_task(read_all(browser, len(data)))
        await send_all(browser, data)
        self.assertTrue(data == await reading)
        await browser.close()
        await wait_until_async(lambda: len(self.connections) == 0)
