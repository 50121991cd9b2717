# SPDX-License-Identifier: Apache-2.0
"""The channels of SPICE sessions, each of which has a WebSocket of its own.

The main channel opens the session at the broker.  The others show the same
credential as main, and the connection ID that the display gave to main; they
are part of its session, and end with it.
"""

import hashlib
from dataclasses import replace
from typing import Protocol

from console_api.gateway.brokers.base import Credential, Grant, Refused
from console_api.gateway.close_reasons import CloseReason
from console_api.gateway.counters import Counters
from console_api.spice.link import VIEW_ONLY_TYPES, Link

#: Channels of a session besides main.
MAX_CHANNELS = 16


class Channel(Protocol):
    """A channel besides main."""

    def cut(self, reason: CloseReason) -> None:
        """Close it; does nothing if it is being closed already."""


class SpiceSession:
    """An open main channel, and the channels that joined it."""

    def __init__(self, grant: Grant, counters: Counters | None = None) -> None:
        """Start without channels.

        :param counters: of the bytes of all channels in this process
        """
        self.grant = grant
        self.counters = counters or Counters()
        #: What the display called the session; None until it did.
        self.connection_id: int | None = None
        #: Channels besides main.
        self.channels: set[Channel] = set()

    def join(self, link: Link, channel: Channel) -> None:
        """Add a channel.

        :raises Refused: the session does not allow it
        """
        grant = self.grant
        if grant.view_only and link.channel_type not in VIEW_ONLY_TYPES:
            raise Refused(
                CloseReason.VIOLATION,
                f"A view-only session has no channel of type "
                f"{link.channel_type}.",
            )
        if len(self.channels) >= MAX_CHANNELS:
            raise Refused(
                CloseReason.LIMIT_REACHED,
                f"The session has {MAX_CHANNELS} channels already.",
                label="channel_limit",
            )
        self.channels.add(channel)

    def leave(self, channel: Channel) -> None:
        """Remove a channel that ended; does nothing if it never joined."""
        self.channels.discard(channel)


class SpiceSessions:
    """The SPICE sessions of this process, by the credentials of main."""

    def __init__(self) -> None:
        """Start without sessions."""
        self._sessions: dict[bytes, set[SpiceSession]] = {}

    def has_main(self, credential: Credential) -> bool:
        """Return whether main is open with a credential in this process.

        If it is, the link message of the next WebSocket with it decides
        whether that is another channel.
        """
        return digest(credential) in self._sessions

    def begin(
        self,
        credential: Credential,
        grant: Grant,
        counters: Counters | None = None,
    ) -> SpiceSession:
        """Add a session whose main channel is being opened."""
        # Other channels show the credential of main.  Empty is no password.
        anonymous = replace(grant, secret="")  # nosec B106
        session = SpiceSession(anonymous, counters)
        self._sessions.setdefault(digest(credential), set()).add(session)
        return session

    def find(self, key: bytes, link: Link) -> SpiceSession | None:
        """Return the open session of a channel besides main.

        :param key: the ``digest`` of its credential
        """
        for session in self._sessions.get(key, ()):
            if session.connection_id == link.connection_id:
                return session
        return None

    def end(
        self,
        credential: Credential,
        session: SpiceSession,
        reason: CloseReason,
    ) -> None:
        """Remove a session whose main channel ended, and cut the others."""
        key = digest(credential)
        sessions = self._sessions.get(key, set())
        sessions.discard(session)
        if not sessions:
            self._sessions.pop(key, None)
        for channel in list(session.channels):
            channel.cut(reason)


def digest(credential: Credential) -> bytes:
    """Return what stands for a credential, and opens nothing."""
    kind = "token" if credential.secret is None else "secret"
    text = f"{kind}:{credential.secret or credential.token}"
    return hashlib.sha256(text.encode()).digest()


def unknown_channel() -> Refused:
    """Return the refusal of a channel whose main channel is not open."""
    return Refused(
        CloseReason.VIOLATION,
        "The channel does not belong to an open session.",
        label="unknown_channel",
    )
