# SPDX-License-Identifier: Apache-2.0
"""What happens to the bytes of a browser on their way to the display."""

import abc

from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.websocket import WebSocket
from console_api.rfb.browser import BrowserHandshake
from console_api.rfb.errors import HandshakeError, ViolationError
from console_api.rfb.handshake import State
from console_api.rfb.view_only import ViewOnlyFilter

# A ClientInit that lets the other viewers stay: RFC 6143, section 7.3.1.
_SHARED = b"\1"


class Inbound(abc.ABC):
    """Decides which bytes the display receives."""

    @property
    @abc.abstractmethod
    def is_ready(self) -> bool:
        """Whether the browser has ended its part of the handshake."""

    @abc.abstractmethod
    def filter(self, data: bytes) -> bytes:
        """Return what to send to the display instead of received bytes.

        :param data: any part of the stream, however it was split
        :raises ViolationError: the session has to end
        """

    def end(self, reason: CloseReason) -> None:  # noqa: B027 (a hook)
        """Learn that the session ends; does nothing by default."""


class PlainInbound(Inbound):
    """Lets everything pass, or nothing if the session is view-only."""

    def __init__(self, *, is_view_only: bool = False) -> None:
        """Start a session."""
        self._is_view_only = is_view_only

    @property
    def is_ready(self) -> bool:
        """Whether the browser has ended its part: there is none."""
        return True

    def filter(self, data: bytes) -> bytes:
        """Return the data, or nothing."""
        return b"" if self._is_view_only else data


class RFBInbound(Inbound):
    """Performs the handshake of the browser, which the display has ended."""

    def __init__(
        self, browser: WebSocket, *, is_view_only: bool, is_exclusive: bool
    ) -> None:
        """Prepare; ``begin`` starts the handshake.

        :param is_exclusive: let the browser disconnect other viewers
        """
        self._is_ready = False
        self._browser = browser
        self._handshake = BrowserHandshake()
        self._is_exclusive = is_exclusive and not is_view_only
        self._filter = ViewOnlyFilter() if is_view_only else None

    @property
    def is_ready(self) -> bool:
        """Whether ClientInit was received."""
        return self._is_ready

    def begin(self) -> None:
        """Send the first message of a server."""
        self._browser.send(self._handshake.data_to_send())

    def filter(self, data: bytes) -> bytes:
        """Return ClientInit and what follows it."""
        if self._is_ready:
            if self._filter is not None:
                data = self._filter.filter(data)
            return data
        handshake = self._handshake
        try:
            handshake.receive(data)
        except HandshakeError as error:
            raise ViolationError(str(error)) from error
        finally:
            self._browser.send(handshake.data_to_send())
        if handshake.state is not State.DONE:
            return b""
        self._is_ready = True
        init = handshake.client_init if self._is_exclusive else _SHARED
        return init + self.filter(handshake.take_trailing())


class RFBRefusal:
    """Says in RFB why a display cannot be used, then closes the WebSocket."""

    def __init__(self, browser: WebSocket, reason: CloseReason) -> None:
        """Send the first message of a server, and wait for the answer."""
        self._browser = browser
        self._reason = reason
        self._handshake = BrowserHandshake(reason.text)
        browser.send(self._handshake.data_to_send())

    def data_received(self, data: bytes) -> None:
        """Refuse the browser once its version is known."""
        try:
            self._handshake.receive(data)
        except HandshakeError:
            self._browser.send(self._handshake.data_to_send())
            self._browser.close(self._reason)

    def pause(self) -> None:
        """Do nothing: there is no display."""

    def resume(self) -> None:
        """Do nothing, as above."""

    def browser_closed(self, reason: CloseReason) -> None:
        """Do nothing, as above."""
