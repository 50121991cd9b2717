# SPDX-License-Identifier: Apache-2.0
"""The WebSocket of a browser, after the opening handshake: RFC 6455.

What a browser sends is parsed by the library; towards it, there are only
binary frames, whose headers are written in front of what was read.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from console_api.gateway.buffers import ReadBuffer
from console_api.gateway.close_reasons import CloseReason, shorten
from console_api.gateway.receiver import Receiver

# The library logs frames, which contain keys.
LOG = logging.getLogger(f"{__name__}.frames")
LOG.setLevel(logging.CRITICAL)

# Above this many bytes to be sent, the other end is paused; the reading of
# one display at a time is the most that is added to it.
_MAX_UNSENT = 64 * 1024

# Up to this many bytes, a copy costs less than a new read buffer.
_SMALL = 4096

# Seconds for sending a close frame and what is in front of it, and for the
# browser's answer.
_CLOSE_TIMEOUT = 5

# How many unanswered pings mean that the browser has gone, and the seconds
# for an answer to the last of them.
_MAX_UNANSWERED = 2
_PONG_TIMEOUT = 8


class WebSocket(asyncio.BufferedProtocol):
    """An open connection to a browser."""

    __slots__ = (
        "_buffer",
        "_early",
        "_frames",
        "_is_full",
        "_is_paused",
        "_next_ping",
        "_on_lost",
        "_ping_interval",
        "_receiver",
        "_transport",
        "_unanswered",
        "is_closing",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        early: bytes,
        buffer: ReadBuffer,
        *,
        max_size: int,
        ping_interval: int,
        on_lost: Callable[["WebSocket"], None],
    ) -> None:
        """Take over a transport; nothing is read from it yet.

        :param early: what was read from it already
        :param max_size: of a message of the browser, in bytes
        :param ping_interval: in seconds
        :param on_lost: called once the connection has ended
        """
        self._transport = transport
        self._early = early
        self._buffer = buffer
        self._frames = ServerProtocol(
            state=OPEN, max_size=max_size, logger=LOG
        )
        self._ping_interval = ping_interval
        now = asyncio.get_running_loop().time()
        self._next_ping = now + ping_interval
        self._unanswered = 0
        self._on_lost = on_lost
        self._receiver: Receiver | None = None
        self._is_full = self._is_paused = False
        #: Whether the connection is being closed, or has ended.
        self.is_closing = transport.is_closing()
        transport.pause_reading()
        transport.set_write_buffer_limits(_MAX_UNSENT)
        transport.set_protocol(self)
        if self.is_closing:
            # There may be no callback any more.
            asyncio.get_running_loop().call_soon(on_lost, self)

    def receive(self, receiver: Receiver) -> None:
        """Read from now on, for this receiver instead of another one."""
        if self.is_closing:
            receiver.browser_closed(CloseReason.CONNECTION_LOST)
            return
        self._receiver = receiver
        if self._is_full:
            receiver.pause()
        self.resume()
        early, self._early = self._early, b""
        if early:
            self._process(early)

    def pause(self) -> None:
        """Stop reading until ``resume``."""
        if not self.is_closing:
            self._is_paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Continue reading."""
        self._is_paused = False
        self._transport.resume_reading()

    def send(self, data: bytes) -> None:
        """Send data in a frame."""
        if data and not self.is_closing and self._frames.state is OPEN:
            self._frames.send_binary(data)
            self._flush()

    def send_raw(self, data: bytes) -> None:
        """Send bytes outside of frames."""
        if not self.is_closing:
            self._transport.write(data)

    def send_read(self, count: int) -> None:
        """Send what was read from a display into the shared buffer.

        :param count: how many bytes were read
        """
        if self.is_closing:
            return
        transport, frame = self._transport, self._buffer.frame(count)
        if count <= _SMALL or transport.get_write_buffer_size():
            transport.write(bytes(frame))
            return
        transport.write(frame)
        if transport.get_write_buffer_size():
            # The rest may be sent from this memory later.
            self._buffer.replace()

    def close(self, reason: CloseReason, text: str = "") -> None:
        """Say why, and close the connection; does nothing the second time.

        :param text: for people, instead of that of the reason
        """
        if self.is_closing:
            return
        self._receiver = None
        if self._frames.state is OPEN:
            self._frames.send_close(reason.code, shorten(text or reason.text))
        self._flush()
        self._close_soon()

    def abort(self) -> None:
        """Close the connection without sending anything more."""
        self._transport.abort()

    def close_after(self, data: bytes) -> None:
        """Send bytes outside of frames as the last ones."""
        self.send_raw(data)
        self._send_eof()
        self._close_soon()

    def ping(self, now: float) -> None:
        """Send a ping if it is time, or give up a browser that has gone.

        :param now: in the event loop's time
        """
        if now < self._next_ping or self.is_closing:
            return
        if self._is_paused:
            # Answers are not read while the display is slow.
            self._unanswered = 0
        if self._unanswered >= _MAX_UNANSWERED:
            self._end(CloseReason.CONNECTION_LOST)
            self.abort()
            return
        self._unanswered += 1
        self._next_ping = now + (
            self._ping_interval
            if self._unanswered < _MAX_UNANSWERED
            else min(self._ping_interval, _PONG_TIMEOUT)
        )
        self._frames.send_ping(b"")
        self._flush()

    # Callbacks of the event loop.

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to read to."""
        del sizehint
        return self._buffer.for_browsers

    def buffer_updated(self, nbytes: int) -> None:
        """Process what was read."""
        # Whatever arrives proves that the browser is there.
        self._unanswered = 0
        self._process(bytes(self._buffer.for_browsers[:nbytes]))

    def eof_received(self) -> None:
        """Record the end; the transport closes itself."""
        self._close_soon()
        self._end(CloseReason.CONNECTION_LOST)

    def connection_lost(self, exc: Exception | None) -> None:
        """Record the end."""
        del exc
        self.is_closing = True
        self._end(CloseReason.CONNECTION_LOST)
        self._on_lost(self)

    def pause_writing(self) -> None:
        """Pause what sends to the browser."""
        self._is_full = True
        if self._receiver is not None:
            self._receiver.pause()

    def resume_writing(self) -> None:
        """Resume what sends to the browser."""
        self._is_full = False
        if self._receiver is not None:
            self._receiver.resume()

    def _process(self, data: bytes) -> None:
        frames = self._frames
        frames.receive_data(data)
        payload = self._take_payload()
        if payload and self._receiver is not None:
            self._receiver.data_received(payload)
        if self._is_full and (frames.state is OPEN or self.is_closing):
            # Pongs to a browser that does not read would take memory.
            frames.data_to_send()
        elif frames.state is OPEN or self.is_closing:
            self._flush()
        else:
            self._end(
                CloseReason.CLIENT_CLOSED
                if frames.close_rcvd is not None
                else CloseReason.VIOLATION
            )

    def _take_payload(self) -> bytes:
        payload = []
        for frame in self._frames.events_received():
            if not isinstance(frame, Frame):
                continue
            if frame.opcode in (Opcode.BINARY, Opcode.CONT):
                payload.append(frame.data)
            elif frame.opcode is Opcode.TEXT and self._frames.state is OPEN:
                self._frames.fail(
                    CloseCode.UNSUPPORTED_DATA, "Messages have to be binary."
                )
                break
        return b"".join(payload)

    def _end(self, reason: CloseReason) -> None:
        """Report the end once, and send what remains to be sent."""
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.browser_closed(reason)
        self.close(reason)

    def _close_soon(self) -> None:
        """Discard what is read until the browser closes the connection."""
        self.is_closing = True
        self.resume()
        asyncio.get_running_loop().call_later(
            _CLOSE_TIMEOUT, self._transport.abort
        )

    def _flush(self) -> None:
        for data in self._frames.data_to_send():
            if data:
                self._write(data)
            else:
                self._send_eof()

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def _send_eof(self) -> None:
        # Closing at once would discard what is sent if something arrives.
        if self._transport.can_write_eof():
            # A browser that did not wait has reset the connection already.
            with contextlib.suppress(OSError):
                self._transport.write_eof()
        else:
            self._transport.close()
