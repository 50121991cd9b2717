# SPDX-License-Identifier: Apache-2.0
"""A session: a browser, a display, and what limits them."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from console_api.gateway.brokers.base import Client, Grant, Traffic
from console_api.gateway.buffers import ReadBuffer
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.counters import Counters
from console_api.gateway.inbound import Inbound
from console_api.gateway.pump import DisplayConnection
from console_api.gateway.websocket import WebSocket
from console_api.net.stream import Stream
from console_api.rfb.errors import ViolationError

LOG = logging.getLogger(__name__)


class Session:
    """A browser that is connected to a display.

    The additional channels of a SPICE session are sessions too; brokers know
    only that of the main channel.
    """

    __slots__ = (
        "_active_at",
        "_browser",
        "_bytes",
        "_display",
        "_expires_at",
        "_inbound",
        "_on_end",
        "_opened_at",
        "_ready_by",
        "client",
        "counters",
        "grant",
        "reason",
    )

    def __init__(
        self,
        grant: Grant,
        client: Client,
        browser: WebSocket,
        on_end: Callable[["Session", CloseReason], None],
        counters: Counters | None = None,
    ) -> None:
        """Prepare; ``start`` connects the browser to a display.

        :param on_end: called once, when the session begins to close
        :param counters: of the main channel, if this is another one
        """
        now = asyncio.get_running_loop().time()
        # The secret is only for the page.  Empty is no password.
        self.grant = replace(grant, secret="")  # nosec B106
        self.client = client
        #: What the session transferred, without handshakes of the gateway.
        self.counters = counters or Counters()
        #: Why the session was closed; None while it is open.
        self.reason: CloseReason | None = None
        self._browser = browser
        self._on_end = on_end
        self._opened_at = self._active_at = now
        self._expires_at = now + (grant.max_duration or float("inf"))
        self._bytes = 0
        self._display: DisplayConnection | None = None
        self._inbound: Inbound | None = None
        self._ready_by = 0.0

    @property
    def traffic(self) -> Traffic:
        """What it transferred until now."""
        now = asyncio.get_running_loop().time()
        self._note_activity(now)
        return Traffic(
            self.counters.received, self.counters.sent, now - self._active_at
        )

    @property
    def duration(self) -> float:
        """Seconds since the session was opened."""
        return asyncio.get_running_loop().time() - self._opened_at

    def connect(self, stream: Stream, buffer: ReadBuffer) -> DisplayConnection:
        """Take over the connection to the display; ``start`` reads from it.

        :raises ConnectionResetError: the display closed the connection
        """
        self._display = DisplayConnection(
            stream,
            self._browser,
            buffer,
            self.counters,
            lambda: self.cut(CloseReason.DISPLAY_CLOSED),
        )
        return self._display

    def start(
        self, inbound: Inbound, early: bytes, handshake_timeout: float
    ) -> None:
        """Pump between the browser and the display.

        :param early: data that the browser has sent before
        :param handshake_timeout: in seconds, for the browser's part
        :raises RuntimeError: there is no display yet
        """
        if self._display is None:
            raise RuntimeError("The session has no display.")
        self._inbound = inbound
        self._ready_by = self._opened_at + handshake_timeout
        self._display.start()
        if early:
            self.data_received(early)
        self._browser.receive(self)

    def cut(self, reason: CloseReason) -> None:
        """Close it; does nothing if it is being closed already."""
        if self.reason is not None:
            return
        self.reason = reason
        if self._display is not None:
            self._display.close()
        self._browser.close(reason)
        if self._inbound is not None:
            self._inbound.end(reason)
        self._on_end(self, reason)

    def sweep(self, now: float) -> None:
        """Close the session if a limit was reached, or ping the browser.

        :param now: in the event loop's time
        """
        self._note_activity(now)
        idle_timeout = self.grant.idle_timeout
        if now >= self._expires_at:
            self.cut(CloseReason.TIME_LIMIT)
        elif idle_timeout and now >= self._active_at + idle_timeout:
            self.cut(CloseReason.IDLE_TIMEOUT)
        elif self._is_late(now):
            self.cut(CloseReason.CONNECTION_LOST)
        else:
            self._browser.ping(now)

    # What the browser calls.

    def data_received(self, data: bytes) -> None:
        """Send data to the display."""
        if self._display is None or self._inbound is None:
            return
        self.counters.received += len(data)
        try:
            self._display.write(self._inbound.filter(data))
        except ViolationError as error:
            violation = error
        else:
            return
        # Outside, or oslo.log would say it twice.
        LOG.warning(
            "Session %s of server %s is closed: %s",
            self.grant.session_id,
            self.grant.server_id,
            violation,
        )
        self.cut(CloseReason.VIOLATION)

    def pause(self) -> None:
        """Stop reading from the display until ``resume``."""
        if self._display is not None:
            self._display.pause()

    def resume(self) -> None:
        """Continue to read from the display."""
        if self._display is not None:
            self._display.resume()

    def browser_closed(self, reason: CloseReason) -> None:
        """Process the end of the browser's connection."""
        self.cut(reason)

    def _is_late(self, now: float) -> bool:
        """Return whether the handshake of the browser takes too long."""
        return (
            self._inbound is not None
            and now >= self._ready_by
            and not self._inbound.is_ready
        )

    def _note_activity(self, now: float) -> None:
        """Note whether bytes were transferred since the last time."""
        total = self.counters.received + self.counters.sent
        if total != self._bytes:
            self._bytes = total
            self._active_at = now
