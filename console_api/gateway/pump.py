# SPDX-License-Identifier: Apache-2.0
"""The connection to a display, whose bytes go to a browser as they are."""

import asyncio
from collections.abc import Callable

from console_api.gateway.buffers import ReadBuffer
from console_api.gateway.counters import Counters
from console_api.gateway.websocket import WebSocket
from console_api.net.stream import Stream

# Seconds for sending what is left to a display before it is disconnected.
_CLOSE_TIMEOUT = 1


class DisplayConnection(asyncio.BufferedProtocol):
    """Pumps what a display sends to a browser.

    Each side is read no faster than the other one can be written to.
    """

    __slots__ = (
        "_browser",
        "_buffer",
        "_counters",
        "_on_closed",
        "_transport",
        "_unread",
        "observe",
    )

    def __init__(
        self,
        stream: Stream,
        browser: WebSocket,
        buffer: ReadBuffer,
        counters: Counters,
        on_closed: Callable[[], None],
    ) -> None:
        """Take over a connected stream, after what was read from it.

        :param on_closed: called when the display closes the connection
        :raises ConnectionResetError: the display closed the connection
        """
        self._transport, self._unread = stream.detach()
        self._browser = browser
        self._buffer = buffer
        self._counters = counters
        self._on_closed: Callable[[], None] | None = on_closed
        #: Called with all bytes before they are sent to the browser.
        self.observe: Callable[[bytes], None] | None = None
        self._transport.set_protocol(self)

    def start(self) -> None:
        """Send what was read already, and pump from now on."""
        unread, self._unread = self._unread, b""
        if unread:
            self._count(unread)
            self._browser.send(unread)
        self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Send bytes to the display, now or as soon as possible."""
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Close the connection; the display may have stopped reading."""
        self._on_closed = None
        if not self._transport.is_closing():
            self._transport.close()
        asyncio.get_running_loop().call_later(
            _CLOSE_TIMEOUT, self._transport.abort
        )

    def pause(self) -> None:
        """Stop reading until ``resume``."""
        self._transport.pause_reading()

    def resume(self) -> None:
        """Continue reading."""
        self._transport.resume_reading()

    # Callbacks of the event loop.

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to read to."""
        del sizehint
        return self._buffer.for_displays

    def buffer_updated(self, nbytes: int) -> None:
        """Send what was read to the browser."""
        if self.observe is None:
            self._counters.sent += nbytes
        else:
            self._count(bytes(self._buffer.for_displays[:nbytes]))
        self._browser.send_read(nbytes)

    def eof_received(self) -> None:
        """Record the end; the transport closes itself."""
        self._report_closed()

    def connection_lost(self, exc: Exception | None) -> None:
        """Record the end."""
        del exc
        self._report_closed()

    def pause_writing(self) -> None:
        """Pause the browser."""
        self._browser.pause()

    def resume_writing(self) -> None:
        """Resume the browser."""
        self._browser.resume()

    def _count(self, data: bytes) -> None:
        self._counters.sent += len(data)
        if self.observe is not None:
            self.observe(data)

    def _report_closed(self) -> None:
        on_closed, self._on_closed = self._on_closed, None
        if on_closed is not None:
            on_closed()
