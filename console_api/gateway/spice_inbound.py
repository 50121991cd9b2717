# SPDX-License-Identifier: Apache-2.0
"""The channels of SPICE on their way from a browser to the display."""

import asyncio

from console_api.gateway.brokers.base import Credential, Grant
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.counters import Counters
from console_api.gateway.inbound import Inbound
from console_api.gateway.pump import DisplayConnection
from console_api.gateway.session import Session
from console_api.gateway.spice_channels import (
    SpiceSession,
    SpiceSessions,
)
from console_api.rfb.errors import ViolationError
from console_api.spice.link import Link, LinkReader
from console_api.spice.main import DisplayMessages, ViewOnlyFilter


class LinkWaiter:
    """Receives the link message of a browser, to decide what it is for."""

    def __init__(self) -> None:
        """Wait."""
        self._reader = LinkReader()
        #: The message; ``ViolationError`` or ``ConnectionResetError``
        #: instead of it if there is none.
        self.link: asyncio.Future[Link] = (
            asyncio.get_running_loop().create_future()
        )

    def data_received(self, data: bytes) -> None:
        """Read data."""
        if self.link.done():
            return
        try:
            link = self._reader.receive(data)
        except ViolationError as error:
            self.link.set_exception(error)
        else:
            if link is not None:
                self.link.set_result(link)

    def pause(self) -> None:
        """Do nothing: nothing is sent to the browser."""

    def resume(self) -> None:
        """Do nothing, as above."""

    def browser_closed(self, reason: CloseReason) -> None:
        """Stop waiting."""
        if not self.link.done():
            self.link.set_exception(ConnectionResetError(reason.text))


class MainInbound(Inbound):
    """Begins a session with the link message of its main channel."""

    def __init__(
        self,
        sessions: SpiceSessions,
        credential: Credential,
        grant: Grant,
        display: DisplayConnection,
        counters: Counters,
    ) -> None:
        """Wait for the link message.

        :param counters: of the session
        """
        self._sessions = sessions
        self._credential = credential
        self._grant = grant
        self._display = display
        self._counters = counters
        self._reader = LinkReader()
        self._session: SpiceSession | None = None
        self._filter: ViewOnlyFilter | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the link message has been received."""
        return self._session is not None

    def filter(self, data: bytes) -> bytes:
        """Return the link message and what follows it."""
        if self._session is not None:
            if self._filter is not None:
                data = self._filter.filter(data)
            return data
        link = self._reader.receive(data)
        if link is None:
            return b""
        if not link.is_main:
            raise ViolationError("The main channel is not open.")
        self._follow(link)
        return link.message

    def end(self, reason: CloseReason) -> None:
        """Close the other channels of the session."""
        if self._session is not None:
            self._sessions.end(self._credential, self._session, reason)

    def _follow(self, link: Link) -> None:
        """Learn the connection ID, which admits the other channels."""
        session = self._sessions.begin(
            self._credential, self._grant, self._counters
        )
        messages = DisplayMessages(link)
        self._session = session
        if self._grant.view_only:
            self._filter = ViewOnlyFilter(messages)

        def observe(data: bytes) -> None:
            messages.feed(data)
            session.connection_id = messages.connection_id
            if messages.connection_id is not None:
                self._display.observe = None

        self._display.observe = observe


class PendingChannel:
    """A channel that has joined a session, and is being connected."""

    def __init__(self) -> None:
        """Start without a connection."""
        self._session: Session | None = None
        self._reason: CloseReason | None = None

    def cut(self, reason: CloseReason) -> None:
        """Close it, now or as soon as it is connected."""
        self._reason = reason
        if self._session is not None:
            self._session.cut(reason)

    def attach(self, session: Session) -> None:
        """Note that it is connected."""
        self._session = session
        if self._reason is not None:
            session.cut(self._reason)
