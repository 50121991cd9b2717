# SPDX-License-Identifier: Apache-2.0
"""One viewer: it proves that it knows the password, then bytes move."""

import asyncio
import logging
from typing import TYPE_CHECKING

from console_api.agent.drivers.vnc.endpoint import ScreenUnreachable
from console_api.net.stream import Stream
from console_api.rfb.errors import HandshakeError
from console_api.rfb.handshake import State
from console_api.rfb.viewer import ViewerHandshake

if TYPE_CHECKING:
    from console_api.agent.drivers.vnc.listener import Listener

LOG = logging.getLogger(__name__)

# What a viewer is told that is not let in.
_LOCKED = "Too many wrong passwords. Try again later."
_WRONG = "Wrong password."
_TOO_MANY = "This console has as many sessions as it may have. Close one."
_UNREACHABLE = "The screen of this server cannot be reached. Try again later."


class _Refused(Exception):
    """The viewer is not let in; the text is for the viewer."""


class Session:
    """A viewer of a console, from its first byte to its last."""

    def __init__(
        self, listener: "Listener", viewer: Stream, address: str
    ) -> None:
        """Prepare; ``run`` does the work."""
        self._listener = listener
        self._number = listener.console.id
        self._viewer = viewer
        self._address = address
        self._handshake = ViewerHandshake(
            listener.console.password,
            refusal=_LOCKED if listener.attempts.is_locked() else None,
        )

    async def run(self) -> None:
        """Serve the viewer; returns when the connection is no longer needed.

        What a viewer does wrong ends its connection, and is nobody else's
        concern.
        """
        try:
            await self._authenticate()
            await self._serve()
        except _Refused as reason:
            self._handshake.refuse(str(reason))
            self._viewer.write(self._handshake.data_to_send())
        except (HandshakeError, TimeoutError, OSError) as error:
            # Anybody can connect and send anything: no line of the log each.
            LOG.debug(
                "Console %d: %s did not get in: %s",
                self._number,
                self._address,
                error or "too slow",
            )
        finally:
            self._viewer.close()

    async def _authenticate(self) -> None:
        """Ask for the password."""
        attempts = self._listener.attempts
        async with asyncio.timeout(self._listener.limits.handshake_timeout):
            await self._converse()
        if attempts.is_locked():
            # Others have failed while this one was thinking.
            raise _Refused(_LOCKED)
        if not self._handshake.is_authentic:
            LOG.warning(
                "Console %d: wrong password from %s.",
                self._number,
                self._address,
            )
            await asyncio.sleep(attempts.fail())
            raise _Refused(_WRONG)
        attempts.succeed()

    async def _converse(self) -> None:
        handshake = self._handshake
        self._viewer.write(handshake.data_to_send())
        while handshake.state is State.RECEIVE:
            data = await self._viewer.receive()
            if not data:
                raise ConnectionResetError("It has hung up.")
            try:
                handshake.receive(data)
            finally:
                self._viewer.write(handshake.data_to_send())

    async def _serve(self) -> None:
        """Connect the viewer with the screen until one of them ends."""
        with self._listener.count_session() as is_free:
            if not is_free:
                raise _Refused(_TOO_MANY)
            try:
                screen, early = await self._listener.endpoints.open(
                    self._listener.console.server_id
                )
            except ScreenUnreachable as error:
                LOG.warning(
                    "Console %d: the screen cannot be reached: %s",
                    self._number,
                    error,
                )
                raise _Refused(_UNREACHABLE) from error
            try:
                await self._pipe(screen, early)
            finally:
                screen.close()

    async def _pipe(self, screen: Stream, early: bytes) -> None:
        viewer = self._viewer
        self._handshake.accept()
        viewer.write(self._handshake.data_to_send() + early)
        screen.write(self._handshake.trailing)
        viewer.pipe_into(screen)
        screen.pipe_into(viewer)
        LOG.info("Console %d: session from %s.", self._number, self._address)
        reason = await self._until_over(screen)
        LOG.info(
            "Console %d: session from %s has ended: %s.",
            self._number,
            self._address,
            reason,
        )

    async def _until_over(self, screen: Stream) -> str:
        loop = asyncio.get_running_loop()
        viewer = self._viewer
        idle_timeout = self._listener.limits.idle_timeout or None
        left: float | None = idle_timeout
        while left is None or left > 0:
            done, _ = await asyncio.wait(
                (viewer.over, screen.over),
                timeout=left,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if done:
                return (
                    "by the viewer" if viewer.over in done else "by the server"
                )
            last = max(viewer.last_read_at, screen.last_read_at)
            left = last + self._listener.limits.idle_timeout - loop.time()
        return "idle"
