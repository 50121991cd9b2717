# SPDX-License-Identifier: Apache-2.0
"""The pipe between a viewer and the display of its server."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

from console_api.agent.drivers.vnc.displays import Display
from console_api.net.dial import DialError, DialRefused
from console_api.net.stream import Stream
from console_api.rfb.errors import HandshakeError
from console_api.rfb.initialization import Initialization
from console_api.rfb.messages.parser import MessageParser, UnknownMessageError
from console_api.rfb.messages.session import SessionMessages

LOG = logging.getLogger(__name__)

# Seconds before the first attempt to reconnect, and the longest time between
# two of them.  A part of it is random: the displays of a whole compute host
# may go away at the same time.
_FIRST_DELAY = 0.5
_MAX_DELAY = 5.0

# A display that closes again within this time, in seconds, has not returned.
_STABLE_TIME = 3.0


class _Direction:
    """One direction of a session, as the end that a stream writes to."""

    def __init__(
        self,
        parser: MessageParser,
        target: Stream | None,
        check: Callable[[MessageParser], None],
    ) -> None:
        """Follow what is written to a stream.

        :param target: where to write; None drops everything
        :param check: called after each write
        """
        self._parser = parser
        self._target = target
        self._check = check

    def detach(self) -> None:
        """Drop everything from now on, and ignore the target's state."""
        self._target = None

    def write(self, data: bytes) -> None:
        """Follow bytes and pass them on."""
        data = self._parser.feed(data)
        if self._target is not None:
            self._target.write(data)
        self._check(self._parser)

    def pause(self) -> None:
        """Pause the target: the stream that writes to it cannot send."""
        if self._target is not None:
            self._target.pause()

    def resume(self) -> None:
        """Resume the target."""
        if self._target is not None:
            self._target.resume()


class Relay:
    """Pipes a viewer and a display into each other.

    When the display closes the connection, the viewer stays connected and
    continues with the next display of its server, if the messages allow it.
    """

    def __init__(
        self,
        viewer: Stream,
        display: Display,
        *,
        client_init: bytes,
        reopen: Callable[[], Awaitable[Display]],
        idle_timeout: float,
        reconnect_timeout: float,
        label: str,
    ) -> None:
        """Prepare; ``run`` pipes.

        :param viewer: has sent ClientInit
        :param display: has received ClientInit
        :param client_init: sent to later displays
        :param reopen: connects to the display of the server as it is now;
            raises ``DialError``
        :param idle_timeout: seconds without data in either direction after
            which the session ends; 0 means no limit
        :param reconnect_timeout: seconds to wait for a display that went
            away; 0 means that the session ends
        :param label: names the session at the beginning of log lines
        """
        self._loop = asyncio.get_running_loop()
        self._viewer = viewer
        self._display = display.stream
        self._client_init = client_init
        self._reopen = reopen
        self._idle_timeout = idle_timeout
        self._reconnect_timeout = reconnect_timeout
        self._label = label
        self._messages = SessionMessages()
        self._directions: list[_Direction] = []
        self._failed: asyncio.Future[str] = self._loop.create_future()
        self._connected_at = self._loop.time()
        self._deadline = 0.0
        self._delay = _FIRST_DELAY

    async def run(self) -> str:
        """Pipe until the session ends; close the last display.

        :returns: the reason for the end, for the log
        """
        try:
            if self._reconnect_timeout:
                self._connect()
            else:
                self._pipe_directly()
            while True:
                reason = await self._wait(self._display.over)
                if reason is None:
                    reason = await self._reconnect()
                if reason is not None:
                    return reason
        finally:
            self._display.close()

    async def _wait(self, awaited: "asyncio.Future[Any]") -> str | None:
        """Wait for a future; return why the session ends before, if so."""
        remaining: float | None = self._idle_timeout or None
        while remaining is None or remaining > 0:
            done, _ = await asyncio.wait(
                (self._viewer.over, self._failed, awaited),
                timeout=remaining,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if self._viewer.over in done:
                return "closed by the viewer"
            if self._failed in done:
                return self._failed.result()
            if done:
                return None
            last_read_at = max(
                self._viewer.last_read_at, self._display.last_read_at
            )
            remaining = last_read_at + self._idle_timeout - self._loop.time()
        return "idle timeout"

    def _connect(self) -> None:
        messages = self._messages
        to_viewer = _Direction(messages.display, self._viewer, self._check)
        to_display = _Direction(messages.viewer, self._display, self._check)
        self._directions = [to_viewer, to_display]
        self._viewer.pipe_into(to_display)
        self._display.pipe_into(to_viewer)

    def _pipe_directly(self) -> None:
        self._viewer.pipe_into(self._display)
        self._display.pipe_into(self._viewer)

    def _disconnect(self) -> None:
        for direction in self._directions:
            direction.detach()
        self._display.close()
        # The display may have paused it.
        self._viewer.resume()

    def _check(self, parser: MessageParser) -> None:
        """React to what a parser found out."""
        state = self._messages.state
        if parser.lost is not None:
            if state.is_replaced:
                self._fail(parser.lost)
            else:
                LOG.debug("%s: %s.", self._label, parser.lost)
                self._pipe_directly()
        elif state.to_display:
            self._display.write(bytes(state.to_display))
            state.to_display.clear()

    def _fail(self, reason: str) -> None:
        for direction in self._directions:
            direction.detach()
        if not self._failed.done():
            self._failed.set_result(reason)

    async def _reconnect(self) -> str | None:
        """Connect to the display again; return why that failed, if so."""
        if not self._reconnect_timeout:
            return "closed by the display"
        try:
            completion = self._messages.lose_display()
        except UnknownMessageError as error:
            return f"closed by the display; cannot reconnect: {error}"
        self._disconnect()
        self._viewer.write(completion)
        now = self._loop.time()
        if now - self._connected_at > _STABLE_TIME or not self._deadline:
            self._deadline = now + self._reconnect_timeout
            self._delay = _FIRST_DELAY
            LOG.info(
                "%s lost its display; reconnecting for up to %d s.",
                self._label,
                self._reconnect_timeout,
            )
        opening = self._loop.create_task(self._open_in_time())
        try:
            return await self._wait(opening) or opening.result()
        finally:
            opening.cancel()

    async def _open_in_time(self) -> str | None:
        """Retry to open the display; return why that failed, if so."""
        reason = "closed by the display, which did not return in time"
        failure = ": the viewer is too slow"
        try:
            async with asyncio.timeout_at(self._deadline):
                # Each display that goes away adds to what is to be sent.
                await self._viewer.drain()
                failure = ""
                while True:
                    await asyncio.sleep(self._delay * random.uniform(0.5, 1))
                    self._delay = min(2 * self._delay, _MAX_DELAY)
                    try:
                        await self._open()
                    except (DialRefused, UnknownMessageError) as refusal:
                        return _reason(f"closed by the display: {refusal}")
                    except (DialError, HandshakeError, OSError) as error:
                        failure = f": {error}"
                    else:
                        return None
        except TimeoutError:
            return _reason(reason + failure)

    async def _open(self) -> None:
        opened = await self._reopen()
        display = opened.stream
        try:
            initialization = Initialization(self._client_init)
            await display.perform(initialization)
            to_viewer, to_display = self._messages.replace_display(
                *initialization.size
            )
        except BaseException:
            display.close()
            raise
        self._viewer.write(to_viewer)
        display.write(to_display)
        self._display = display
        self._connected_at = self._loop.time()
        self._connect()
        LOG.info(
            "%s reconnected to its display: compute host %s, endpoint %s.",
            self._label,
            opened.compute_host,
            opened.address,
        )


def _reason(sentence: str) -> str:
    """Return a reason for the log, which adds a period."""
    return sentence.removesuffix(".")
