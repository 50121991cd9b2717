# SPDX-License-Identifier: Apache-2.0
import asyncio
import random
import unittest

from console_api.gateway.buffers import ReadBuffer
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.websocket import WebSocket
from console_api.tests.unit.gateway.base import frame

_MAX_SIZE = 4096


class FakeTransport:
    """A transport that keeps nothing of what is written."""

    def __init__(self) -> None:
        self.is_closed = False
        self.has_eof = False
        self.written = 0

    def is_closing(self) -> bool:
        return self.is_closed

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int) -> None:
        pass

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def can_write_eof(self) -> bool:
        return True

    def write(self, data: bytes) -> None:
        if self.has_eof:
            raise RuntimeError("Cannot write after the end.")
        self.written += len(data)

    def write_eof(self) -> None:
        self.has_eof = True

    def abort(self) -> None:
        self.is_closed = True


class FakeReceiver:
    """Counts data, and answers it as a session in its handshake does."""

    def __init__(self, browser: WebSocket) -> None:
        self.browser = browser
        self.received = 0
        self.reasons: list[CloseReason] = []

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self.browser.send(data[:100])

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass

    def browser_closed(self, reason: CloseReason) -> None:
        self.reasons.append(reason)
        self.browser.close(reason)


def stream(chance: random.Random) -> bytes:
    """Return frames, most of them valid, and some random bytes."""
    parts = []
    for _ in range(chance.randrange(1, 12)):
        data = chance.randbytes(chance.choice((0, 1, 2, 125, 126, 900)))
        opcode = chance.choice((2, 2, 2, 0, 8, 9, 10, chance.randrange(16)))
        parts.append(frame(data, opcode, fin=chance.random() < 0.8))
        if chance.random() < 0.05:
            parts.append(chance.randbytes(chance.randrange(20)))
    return b"".join(parts)


class FuzzTest(unittest.IsolatedAsyncioTestCase):
    def open(self, buffer: ReadBuffer) -> tuple[WebSocket, FakeReceiver]:
        browser = WebSocket(
            FakeTransport(),  # type: ignore[arg-type]
            b"",
            buffer,
            max_size=_MAX_SIZE,
            ping_interval=25,
            on_lost=lambda _browser: None,
        )
        receiver = FakeReceiver(browser)
        browser.receive(receiver)
        return browser, receiver

    async def test_any_bytes_end_in_at_most_one_reason(self) -> None:
        chance = random.Random(20151)
        ends = set()
        buffer = ReadBuffer()
        for number in range(1500):
            browser, receiver = self.open(buffer)
            data = stream(chance)
            while data:
                size = chance.choice((1, 7, 100, 1000))
                part, data = data[:size], data[size:]
                where = browser.get_buffer(-1)
                where[: len(part)] = part
                browser.buffer_updated(len(part))
                if chance.random() < 0.02:
                    browser.ping(float("inf"))
                if chance.random() < 0.002:
                    browser.close(CloseReason.CUT)
            with self.subTest(number):
                unparsed = len(browser._frames.reader.buffer)
                self.assertLessEqual(unparsed, _MAX_SIZE + 1000)
                if browser.is_closing and receiver.reasons:
                    self.assertIsNone(browser._receiver)
                self.assertLessEqual(len(receiver.reasons), 1)
                ends.update(receiver.reasons)
            browser.connection_lost(None)
        self.assertEqual(
            {CloseReason.CLIENT_CLOSED, CloseReason.VIOLATION}, ends
        )
