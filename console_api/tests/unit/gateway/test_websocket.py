# SPDX-License-Identifier: Apache-2.0
import asyncio
import struct

from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.services import Settings
from console_api.tests.unit.gateway.base import GatewayCase, echo, frame
from console_api.tests.waiting import TIMEOUT, wait_until_async

_HANDSHAKE = {
    "Host": "gateway",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
    "Sec-WebSocket-Version": "13",
}


async def read_close(reader: asyncio.StreamReader) -> int:
    """Wait for a close frame, then the end; return the code."""
    async with asyncio.timeout(TIMEOUT):
        data = await reader.read()
    # After the answers to what came before.
    start = data.index(b"\x88")
    return int.from_bytes(data[start + 2 : start + 4])


class HandshakeTest(GatewayCase):
    async def request(
        self, headers: dict[str, str], line: str = "GET /?token=T HTTP/1.1"
    ) -> list[str]:
        """Send a request; return the lines of the response's head."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.addCleanup(writer.close)
        lines = [line, *(f"{name}: {headers[name]}" for name in headers)]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return head.decode().split("\r\n")

    async def test_subprotocol_is_binary_if_it_is_offered(self) -> None:
        await self.serve_display(echo)
        cases = {
            "binary": "binary",
            "base64, binary": "binary",
            "binary, console.c2VjcmV0": "binary",
            "base64": None,
            "console.c2VjcmV0": None,
            None: None,
        }
        for offered, expected in cases.items():
            with self.subTest(offered=offered):
                headers = dict(_HANDSHAKE)
                if offered is not None:
                    headers["Sec-WebSocket-Protocol"] = offered
                lines = await self.request(headers)
                self.assertIn("101", lines[0])
                found = [
                    line.partition(": ")[2]
                    for line in lines
                    if line.lower().startswith("sec-websocket-protocol")
                ]
                self.assertEqual([expected] if expected else [], found)

    async def test_compression_is_not_used(self) -> None:
        await self.serve_display(echo)
        extensions = {"Sec-WebSocket-Extensions": "permessage-deflate"}
        lines = await self.request(_HANDSHAKE | extensions)
        self.assertNotIn("extensions", "".join(lines).lower())

    async def test_invalid_requests_are_refused_before_broker(self) -> None:
        await self.serve_display(echo)
        changes: dict[str, tuple[dict[str, str | None], str]] = {
            "version": ({"Sec-WebSocket-Version": "8"}, "400"),
            "no version": ({"Sec-WebSocket-Version": None}, "400"),
            "key": ({"Sec-WebSocket-Key": "c2hvcnQ="}, "400"),
            "no key": ({"Sec-WebSocket-Key": None}, "400"),
            "no connection": ({"Connection": "keep-alive"}, "426"),
        }
        for name, (change, status) in changes.items():
            with self.subTest(name):
                headers = {
                    key: value
                    for key, value in {**_HANDSHAKE, **change}.items()
                    if value is not None
                }
                lines = await self.request(headers)
                self.assertIn(status, lines[0])
        lines = await self.request(_HANDSHAKE, "POST /?token=T HTTP/1.1")
        self.assertIn("405", lines[0])
        lines = await self.request(_HANDSHAKE, "GET /?token=T HTTP/1.0")
        self.assertIn("505", lines[0])
        self.assertEqual([], self.broker.credentials)
        await wait_until_async(lambda: len(self.connections) == 0)


class MalformedFramesTest(GatewayCase):
    settings = Settings(max_message_size=1000)

    async def test_malformed_frames_end_session(self) -> None:
        await self.serve_display(echo)
        unmasked = b"\x82\x01a"
        cases = {
            "unmasked": (unmasked, 1002),
            "reserved bit 1": (b"\xc2\x81" + bytes(5), 1002),
            "reserved bit 2": (b"\xa2\x81" + bytes(5), 1002),
            "reserved bit 3": (b"\x92\x81" + bytes(5), 1002),
            "opcode 3": (frame(b"a", 3), 1002),
            "opcode 11": (frame(b"a", 11), 1002),
            "continuation of nothing": (frame(b"a", 0), 1002),
            "new message inside another one": (
                frame(b"a", fin=False) + frame(b"b"),
                1002,
            ),
            "long ping": (frame(bytes(126), 9), 1002),
            "fragmented ping": (frame(b"a", 9, fin=False), 1002),
            "close with one byte": (frame(b"a", 8), 1002),
            "close with code 999": (frame(struct.pack(">H", 999), 8), 1002),
            "close with code 1006": (frame(struct.pack(">H", 1006), 8), 1002),
            "close with bytes that are no text": (
                frame(struct.pack(">H", 1000) + b"\xff", 8),
                1007,
            ),
            "long message": (frame(bytes(1001)), 1009),
            "long message in fragments": (
                frame(bytes(600), fin=False) + frame(bytes(600), 0),
                1009,
            ),
            "length of 2^63": (
                b"\x82\xff" + struct.pack(">Q", 1 << 63) + bytes(4),
                1009,
            ),
            "text": (frame(b"a", 1), 1003),
        }
        for name, (data, code) in cases.items():
            with self.subTest(name):
                reader, writer = await self.open_raw()
                await reader.readuntil(b"\r\n\r\n")
                writer.write(data)
                self.assertEqual(code, await read_close(reader))
                writer.close()
                self.assertIs(CloseReason.VIOLATION, self.broker.reasons.pop())
        await wait_until_async(lambda: len(self.connections) == 0)

    async def test_data_before_malformed_frame_arrives(self) -> None:
        received = bytearray()

        async def record(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            received.extend(await reader.read())
            writer.close()

        await self.serve_display(record)
        _, writer = await self.open_raw()
        writer.write(frame(b"good") + b"\x82\x01a" + frame(b"late"))
        await wait_until_async(lambda: received == b"good")


class CloseTest(GatewayCase):
    async def test_close_of_browser_is_answered(self) -> None:
        await self.serve_display(echo)
        reader, writer = await self.open_raw()
        await reader.readuntil(b"\r\n\r\n")
        writer.write(frame(struct.pack(">H", 1001), 8))
        self.assertEqual(b"\x88\x02\x03\xe9", await reader.read())
        self.assertEqual([CloseReason.CLIENT_CLOSED], self.broker.reasons)

    async def test_close_of_browser_that_does_not_wait_is_reported(
        self,
    ) -> None:
        # Chromium closes its connection at once when a page is left.
        await self.serve_display(echo)
        reader, writer = await self.open_raw()
        await reader.readuntil(b"\r\n\r\n")
        writer.write(frame(struct.pack(">H", 1001), 8))
        writer.transport.abort()
        await wait_until_async(lambda: len(self.connections) == 0)
        self.assertEqual([CloseReason.CLIENT_CLOSED], self.broker.reasons)

    async def test_vanished_browser_is_reported(self) -> None:
        await self.serve_display(echo)
        reader, writer = await self.open_raw()
        await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await wait_until_async(lambda: len(self.connections) == 0)
        self.assertEqual([CloseReason.CONNECTION_LOST], self.broker.reasons)

    async def test_reason_in_close_frame_is_shortened(self) -> None:
        await self.serve_display(echo)
        browser = await self.open()
        (websocket,) = self.connections._websockets
        websocket.close(CloseReason.CUT, "é" * 100)
        self.assertEqual(
            (CloseReason.CUT.code, "é" * 61), await self.closed(browser)
        )

    async def test_data_after_close_is_dropped(self) -> None:
        await self.serve_display(echo)
        reader, writer = await self.open_raw()
        await reader.readuntil(b"\r\n\r\n")
        (session,) = self.connections.sessions
        session.cut(CloseReason.CUT)
        writer.write(frame(b"late") + frame(b"ping", 9))
        received = session.traffic.bytes_in
        writer.write(frame(struct.pack(">H", 4002), 8))
        self.assertEqual(CloseReason.CUT.code, await read_close(reader))
        self.assertEqual(received, session.traffic.bytes_in)
