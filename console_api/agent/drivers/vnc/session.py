# SPDX-License-Identifier: Apache-2.0
"""The connection of one viewer: authentication, then a pipe to the display."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from console_api.agent.drivers.base import Console
from console_api.agent.drivers.vnc.displays import Display
from console_api.agent.drivers.vnc.log_limit import LogLimit
from console_api.agent.drivers.vnc.relay import Relay
from console_api.agent.drivers.vnc.security import Security
from console_api.agent.drivers.vnc.session_log import SessionLog
from console_api.net import addresses
from console_api.net.dial import DialError
from console_api.net.password_queue import PasswordQueue, Verdict
from console_api.net.stream import Stream
from console_api.rfb.errors import HandshakeError
from console_api.rfb.handshake import State
from console_api.rfb.viewer import ViewerHandshake

LOG = logging.getLogger(__name__)

# ClientInit of a viewer that leaves others connected: RFC 6143, section 7.3.1.
_SHARED = b"\1"

# The security types that a viewer can choose, for the log.
_SECURITY = {False: "VncAuth", True: "X509Vnc"}

# Reasons that a refused viewer shows.
_LOCKED = "Too many wrong passwords. Try again later."
_WRONG_PASSWORD = "Wrong password."  # noqa: S105  # nosec
_TOO_MANY_SESSIONS = (
    "This console has reached its maximum number of sessions. Close one."
)
_UNREACHABLE = "The display of this server cannot be reached. Try again later."


class _Refused(Exception):
    """The viewer is refused; the message is for the viewer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the sessions of one console.

    Timeouts are in seconds; an idle timeout of 0 means no limit,
    and a reconnect timeout of 0 that displays are not connected again.
    ``allow_exclusive`` is whether a viewer may disconnect the others.
    """

    handshake_timeout: float
    password_timeout: float
    idle_timeout: float
    max_sessions: int
    allow_exclusive: bool = False
    reconnect_timeout: float = 60


class Session:
    """A connection of a viewer, from its first byte to its last."""

    def __init__(
        self,
        console: Console,
        viewer: Stream,
        address: str,
        *,
        security: Security,
        passwords: PasswordQueue,
        wrong_password_log: LogLimit,
        open_display: Callable[[str], Awaitable[Display]],
        count_session: Callable[[], AbstractContextManager[bool]],
        limits: Limits,
    ) -> None:
        """Prepare; ``run`` serves the viewer.

        :param address: the numeric address of the viewer
        :param passwords: the attempts to authenticate at the console
        :param wrong_password_log: limits lines about wrong passwords
        :param open_display: connects to the display of a server, given its
            UUID; raises ``DialError``
        :param count_session: counts a session until the context ends; yields
            whether the console may have it
        """
        self._console = console
        self._viewer = viewer
        self._address = addresses.readable(address)
        self._network = addresses.network(address)
        self._security = security
        self._passwords = passwords
        self._wrong_password_log = wrong_password_log
        self._open_display = open_display
        self._count_session = count_session
        self._limits = limits
        self._handshake = ViewerHandshake(
            console.password,
            security_types=security.types,
            refusal=_LOCKED if passwords.is_locked(self._network) else None,
        )

    async def run(self) -> None:
        """Serve the viewer until the session ends."""
        try:
            await self._authenticate()
            await self._serve()
        except _Refused as reason:
            self._handshake.refuse(str(reason))
            self._viewer.write(self._handshake.data_to_send())
        except (HandshakeError, TimeoutError, OSError) as error:
            # Any client can send arbitrary data, which must not flood the log.
            LOG.debug(
                "Console %d: handshake with %s failed: %s",
                self._console.id,
                self._address,
                error or "timeout",
            )
        finally:
            self._viewer.close()

    async def _authenticate(self) -> None:
        async with asyncio.timeout(self._limits.handshake_timeout):
            await self._viewer.perform(self._handshake)
            if self._handshake.state is State.START_TLS:
                await self._start_tls()
        self._handshake.wait_for_response()
        async with asyncio.timeout(self._limits.password_timeout):
            await self._viewer.perform(self._handshake)
        verdict = await self._passwords.attempt(
            self._network, is_correct=self._handshake.is_authentic
        )
        if verdict is Verdict.LOCKED:
            raise _Refused(_LOCKED)
        if verdict is Verdict.WRONG:
            self._log_wrong_password()
            raise _Refused(_WRONG_PASSWORD)

    async def _start_tls(self) -> None:
        if self._security.tls is None:
            raise RuntimeError("TLS was offered without a certificate.")
        await self._viewer.accept_tls(
            self._security.tls.get(), self._limits.handshake_timeout
        )
        self._handshake.tls_started()
        await self._viewer.perform(self._handshake)

    def _log_wrong_password(self) -> None:
        if count := self._wrong_password_log.count():
            LOG.warning(
                "Console %d: wrong password from %s (%d since the previous "
                "line).",
                self._console.id,
                self._address,
                count,
            )

    async def _serve(self) -> None:
        """Connect the viewer to the display until one of them closes."""
        with self._count_session() as is_allowed:
            if not is_allowed:
                raise _Refused(_TOO_MANY_SESSIONS)
            try:
                display = await self._open_display(self._console.server_id)
            except DialError as error:
                LOG.warning(
                    "Display cannot be reached: %s Console %d, server %s, "
                    "viewer %s.",
                    error,
                    self._console.id,
                    self._console.server_id,
                    self._address,
                )
                raise _Refused(_UNREACHABLE) from error
            try:
                await self._pipe(display)
            finally:
                display.stream.close()

    async def _read_client_init(self) -> bytes:
        """Return the viewer's ClientInit as the display has to receive it."""
        async with asyncio.timeout(self._limits.handshake_timeout):
            client_init = await self._viewer.read_exactly(len(_SHARED))
        return client_init if self._limits.allow_exclusive else _SHARED

    async def _pipe(self, display: Display) -> None:
        with SessionLog(
            self._console,
            display,
            self._viewer,
            address=self._address,
            security=_SECURITY[self._handshake.is_encrypted],
        ) as log:
            self._handshake.accept()
            self._viewer.write(self._handshake.data_to_send())
            client_init = await self._read_client_init()
            display.stream.write(client_init)
            log.reason = await Relay(
                self._viewer,
                display,
                client_init=client_init,
                reopen=lambda: self._open_display(self._console.server_id),
                idle_timeout=self._limits.idle_timeout,
                reconnect_timeout=self._limits.reconnect_timeout,
                label=f"Console {self._console.id}: session from "
                f"{self._address}",
            ).run()
