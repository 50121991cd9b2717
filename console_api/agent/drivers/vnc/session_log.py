# SPDX-License-Identifier: Apache-2.0
"""One line in the log for the start of a session, and one for its end."""

import asyncio
import logging
from types import TracebackType
from typing import Self

from console_api.agent.drivers.base import Console
from console_api.agent.drivers.vnc.displays import Display
from console_api.net.stream import Stream

LOG = logging.getLogger(__name__)


class SessionLog:
    """Logs the start and the end of a session, whatever ends it."""

    def __init__(
        self,
        console: Console,
        display: Display,
        viewer: Stream,
        *,
        address: str,
        security: str,
    ) -> None:
        """Prepare; entering the context logs the start.

        :param viewer: counts the bytes of the session
        :param address: the address of the viewer
        :param security: the security type that the viewer has chosen
        """
        #: Why the session ended, unless an exception ends the context.
        self.reason = "unknown"
        self._viewer = viewer
        self._began = 0.0
        self._session = (
            f"console {console.id}, server {console.server_id}, compute host "
            f"{display.compute_host}, display {display.address}, viewer "
            f"{address}, security {security}"
        )

    def __enter__(self) -> Self:
        """Log the start."""
        self._began = asyncio.get_running_loop().time()
        LOG.info("Session started: %s.", self._session)
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Log the end."""
        LOG.info(
            "Session ended: %s, duration %.1f s, %d bytes to the viewer, %d "
            "bytes from the viewer, reason: %s.",
            self._session,
            asyncio.get_running_loop().time() - self._began,
            self._viewer.bytes_sent,
            self._viewer.bytes_received,
            self.reason if exception is None else _reason(exception),
        )


def _reason(exception: BaseException) -> str:
    """Return what an exception means for a session.

    The message of a cancellation is the reason for it.
    """
    if isinstance(exception, TimeoutError):
        return "timeout of the handshake"
    if isinstance(exception, asyncio.CancelledError | OSError):
        return str(exception) or "cancelled"
    return f"unexpected error, {type(exception).__name__}"
