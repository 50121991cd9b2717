# SPDX-License-Identifier: Apache-2.0
import asyncio
import logging
import struct
import sys

from websockets.asyncio.client import ClientConnection

from console_api.gateway.brokers.base import Refused
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.services import Settings
from console_api.tests.ports import free_port
from console_api.tests.unit.gateway.base import GatewayCase, echo, grant
from console_api.tests.unit.spice import samples
from console_api.tests.waiting import TIMEOUT, wait_until_async

V8 = b"RFB 003.008\n"
KEY_EVENT = struct.pack(">BBHI", 4, 1, 0, 97)
UPDATE_REQUEST = struct.pack(">BBHHHH", 3, 0, 0, 0, 640, 480)


class Reader:
    """Reads a WebSocket as a stream."""

    def __init__(self, browser: ClientConnection) -> None:
        self._browser = browser
        self._received = b""

    async def read(self, count: int) -> bytes:
        """Wait for a number of bytes."""
        async with asyncio.timeout(TIMEOUT):
            while len(self._received) < count:
                self._received += await self._browser.recv(decode=False)
        data = self._received[:count]
        self._received = self._received[count:]
        return data


class RefusalTest(GatewayCase):
    async def refusal(self, token: str = "T") -> tuple[int, str]:
        """Open a WebSocket; return why it was closed."""
        return await self.closed(await self.open(token))

    async def test_refusal_of_broker_is_said_in_close_frame(self) -> None:
        self.broker.refusal = Refused(CloseReason.TOKEN_USED, "Used.")
        self.assertEqual(
            (CloseReason.TOKEN_USED.code, "Used."), await self.refusal()
        )
        self.assertEqual(
            [("refused", CloseReason.TOKEN_USED)], self.observer.events
        )
        self.assertEqual([], self.broker.abandoned_reasons)

    async def test_request_without_token_is_refused(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.addCleanup(writer.close)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        frame = await reader.readexactly(4)
        self.assertEqual(
            CloseReason.INVALID_TOKEN.code, int.from_bytes(frame[2:])
        )
        self.assertEqual([], self.broker.credentials)

    async def test_fault_of_broker_is_a_gateway_error(self) -> None:
        self.broker.refusal = ValueError("with the token")
        handled: list[object] = []

        class Handler(logging.Handler):
            """Records what oslo.log would add to a line."""

            def emit(self, record: logging.LogRecord) -> None:
                handled.append(sys.exc_info()[1])

        handler = Handler(logging.ERROR)
        logging.getLogger("console_api.gateway").addHandler(handler)
        self.addCleanup(
            logging.getLogger("console_api.gateway").removeHandler, handler
        )
        with self.assertLogs(level="ERROR") as logs:
            self.assertEqual(1011, (await self.refusal())[0])
        self.assertNotIn("with the token", logs.output[0])
        self.assertEqual([None], handled)

    async def test_display_that_refuses_connections(self) -> None:
        self.broker.grant = grant(free_port())
        self.assertEqual(
            CloseReason.DISPLAY_UNREACHABLE.code, (await self.refusal())[0]
        )
        self.assertEqual(
            [CloseReason.DISPLAY_UNREACHABLE], self.broker.abandoned_reasons
        )

    async def test_unknown_console_type_is_unsupported(self) -> None:
        await self.serve_display(echo, console_type="rdp-html5")
        self.assertEqual(
            CloseReason.UNSUPPORTED.code, (await self.refusal())[0]
        )
        self.assertEqual(
            [CloseReason.UNSUPPORTED], self.broker.abandoned_reasons
        )

    async def test_draining_gateway_opens_nothing(self) -> None:
        await self.connections.drain(0)
        self.assertEqual(
            CloseReason.GATEWAY_STOPPED.code, (await self.refusal())[0]
        )
        self.assertEqual([], self.broker.credentials)

    async def test_cancelled_opening_is_abandoned(self) -> None:
        is_over = asyncio.Event()

        async def stall(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await is_over.wait()

        await self.serve_display(stall, console_type="novnc")
        await self.open_raw()
        await wait_until_async(lambda: bool(self.broker.credentials))
        for task in asyncio.all_tasks():
            if "_handle_request" in repr(task.get_coro()):
                task.cancel()
        await wait_until_async(lambda: len(self.connections) == 0)
        self.assertEqual(
            [CloseReason.GATEWAY_STOPPED], self.broker.abandoned_reasons
        )
        is_over.set()


class SessionLimitTest(GatewayCase):
    settings = Settings(max_sessions=1)

    async def test_one_session_too_many_is_refused(self) -> None:
        await self.serve_display(echo)
        await self.open()
        code, _ = await self.closed(await self.open())
        self.assertEqual(CloseReason.LIMIT_REACHED.code, code)
        self.assertEqual(1, len(self.broker.credentials))


class VNCTest(GatewayCase):
    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        self.received = bytearray()

    async def display(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Be a display without authentication that records messages."""
        writer.write(V8)
        await reader.readexactly(12)
        writer.write(b"\1\1")
        await reader.readexactly(1)
        writer.write(bytes(4))
        while data := await reader.read(65536):
            if not self.received:
                writer.write(b"ServerInit")
            self.received += data

    async def open_vnc(
        self, shared: bytes = b"\1", **values: object
    ) -> Reader:
        """Open a session as noVNC does, up to ServerInit."""
        await self.serve_display(self.display, console_type="novnc", **values)
        self.browser = await self.open()
        reader = Reader(self.browser)
        self.assertEqual(V8, await reader.read(12))
        await self.browser.send(V8)
        self.assertEqual(b"\1\1", await reader.read(2))
        await self.browser.send(b"\1")
        self.assertEqual(bytes(4), await reader.read(4))
        await self.browser.send(shared)
        self.assertEqual(b"ServerInit", await reader.read(10))
        return reader

    async def test_gateway_ends_security_on_both_sides(self) -> None:
        await self.open_vnc()
        await self.browser.send(KEY_EVENT)
        await wait_until_async(lambda: self.received == b"\1" + KEY_EVENT)

    async def test_exclusive_access_needs_a_grant(self) -> None:
        await self.open_vnc(shared=b"\0")
        self.assertEqual(b"\1", self.received)

    async def test_exclusive_access(self) -> None:
        await self.open_vnc(shared=b"\0", exclusive=True)
        self.assertEqual(b"\0", self.received)

    async def test_view_only_session_shares_and_drops_keys(self) -> None:
        await self.open_vnc(shared=b"\0", exclusive=True, view_only=True)
        for byte in KEY_EVENT + UPDATE_REQUEST:
            await self.browser.send(bytes([byte]))
        await wait_until_async(lambda: self.received == b"\1" + UPDATE_REQUEST)

    async def test_violation_ends_view_only_session(self) -> None:
        await self.open_vnc(view_only=True)
        await self.browser.send(b"\xfe")
        self.assertEqual(1008, (await self.closed(self.browser))[0])
        self.assertEqual([CloseReason.VIOLATION], self.broker.reasons)

    async def test_all_sessions_may_be_view_only(self) -> None:
        self.services.settings = Settings(is_view_only=True)
        await self.open_vnc()
        await self.browser.send(KEY_EVENT + UPDATE_REQUEST)
        await wait_until_async(lambda: self.received == b"\1" + UPDATE_REQUEST)

    async def test_browser_that_does_not_speak_rfb(self) -> None:
        await self.serve_display(self.display, console_type="novnc")
        browser = await self.open()
        await browser.send(b"SSH-2.0-ssh")
        self.assertEqual(1008, (await self.closed(browser))[0])

    async def test_browser_has_limited_time_for_handshake(self) -> None:
        await self.serve_display(self.display, console_type="novnc")
        browser = await self.open()
        (session,) = self.connections.sessions
        self.connections.sweep(session._opened_at + 10)
        self.assertEqual(
            CloseReason.CONNECTION_LOST.code, (await self.closed(browser))[0]
        )

    async def test_unreachable_display_is_said_in_rfb(self) -> None:
        self.broker.grant = grant(free_port(), console_type="novnc")
        browser = await self.open()
        reader = Reader(browser)
        self.assertEqual(V8, await reader.read(12))
        await browser.send(V8)
        text = CloseReason.DISPLAY_UNREACHABLE.text.encode()
        self.assertEqual(
            b"\0" + struct.pack(">I", len(text)) + text,
            await reader.read(5 + len(text)),
        )
        self.assertEqual(
            CloseReason.DISPLAY_UNREACHABLE.code,
            (await self.closed(browser))[0],
        )


class SpiceTest(GatewayCase):
    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        self.is_spice = True
        self.links: list[bytes] = []

    async def display(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Be a display that answers main with its connection ID."""
        head = await reader.readexactly(16)
        link = head + await reader.readexactly(
            int.from_bytes(head[12:], "little")
        )
        self.links.append(link)
        writer.write(samples.reply() + bytes(4) + samples.init())
        await reader.read()

    async def open_main(self, **values: object) -> ClientConnection:
        """Open a session, up to the connection ID."""
        await self.serve_display(
            self.display, console_type="spice-html5", **values
        )
        main = await self.open()
        await main.send(samples.link(0, 1))
        expected = samples.reply() + bytes(4) + samples.init()
        await Reader(main).read(len(expected))
        return main

    async def test_channels_join_main_and_end_with_it(self) -> None:
        main = await self.open_main()
        channel = await self.open()
        link = samples.link(samples.CONNECTION_ID, 2)
        await channel.send(link[:10])
        await channel.send(link[10:])
        await Reader(channel).read(10)
        self.assertEqual([samples.link(0, 1), link], self.links)
        self.assertEqual(1, len(self.broker.credentials))
        (session,) = self.connections.sessions
        self.assertEqual(
            len(samples.link(0, 1)) + len(link), session.traffic.bytes_in
        )
        session.cut(CloseReason.CUT)
        for browser in (main, channel):
            self.assertEqual(
                CloseReason.CUT.code, (await self.closed(browser))[0]
            )
        self.assertEqual([CloseReason.CUT], self.broker.reasons)

    async def test_channel_that_ends_leaves_main_open(self) -> None:
        await self.open_main()
        channel = await self.open()
        await channel.send(samples.link(samples.CONNECTION_ID, 2))
        await Reader(channel).read(10)
        await channel.close()
        await wait_until_async(lambda: len(self.connections) == 1)
        self.assertEqual([], self.broker.reasons)
        self.assertEqual(set(), self.services.channels)

    async def test_unknown_channels_are_refused(self) -> None:
        await self.open_main()
        channel = await self.open()
        await channel.send(samples.link(samples.CONNECTION_ID + 1, 2))
        self.assertEqual(1008, (await self.closed(channel))[0])
        other = await self.open("other")
        await other.send(samples.link(samples.CONNECTION_ID, 2))
        self.assertEqual(1008, (await self.closed(other))[0])
        self.assertEqual(1, len(self.broker.credentials))

    async def test_view_only_session_has_no_inputs(self) -> None:
        await self.open_main(view_only=True)
        channel = await self.open()
        await channel.send(samples.link(samples.CONNECTION_ID, 3))
        self.assertEqual(1008, (await self.closed(channel))[0])

    async def test_viewer_that_does_not_speak_spice(self) -> None:
        browser = await self.open()
        await browser.send(V8)
        self.assertEqual(1008, (await self.closed(browser))[0])
        self.assertEqual([], self.broker.credentials)

    async def test_main_of_unmarked_connection(self) -> None:
        self.is_spice = False
        await self.serve_display(self.display, console_type="spice-html5")
        browser = await self.open()
        await browser.send(samples.link(samples.CONNECTION_ID, 2))
        self.assertEqual(1008, (await self.closed(browser))[0])
        self.assertEqual([CloseReason.VIOLATION], self.broker.reasons)
