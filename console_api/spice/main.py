# SPDX-License-Identifier: Apache-2.0
"""The main channel of a session."""

import struct
from typing import NamedTuple

from console_api.rfb.errors import ViolationError
from console_api.rfb.messages.parser import (
    MessageParser,
    Steps,
    UnknownMessageError,
)
from console_api.spice.link import (
    HEADER,
    MAGIC,
    MAX_LINK_LENGTH,
    Capability,
    Link,
    decode_reply,
)

# Type and size of a message; or serial number, type, size, and the offset of
# a list of messages inside it.
_MINI_HEADER = struct.Struct("<HI")
_FULL_HEADER = struct.Struct("<QHII")

# Begins with the connection ID.
_INIT = 103
_ID_LENGTH = 4

# The mechanism of authentication with a password (a ticket), which is
# encrypted with a key of 1024 bits.
_TICKET = 1
_TICKET_LENGTH = 128

# Messages of a viewer that only watches: ACK_SYNC, ACK, PONG, DISCONNECTING,
# CLIENT_INFO and ATTACH_CHANNELS.  Others change the mode of the mouse, talk
# to the agent in the guest or belong to a migration.
_VIEW_ONLY = {1, 2, 3, 6, 101, 104}


class _Message(NamedTuple):
    """The header of a message."""

    kind: int
    size: int
    sub_messages: int = 0


class DisplayMessages(MessageParser):
    """Follows what a display sends on the main channel.

    Bytes are forwarded as they are.  Once ``connection_id`` is known, there
    is nothing more to learn.
    """

    def __init__(self, link: Link) -> None:
        """Start with the display's answer to a link message."""
        #: What the other channels of the session present; None until then.
        self.connection_id: int | None = None
        #: What both sides are capable of; None before the display answered.
        self.capabilities: frozenset[Capability] | None = None
        self._link = link
        super().__init__()

    def _messages(self) -> Steps:
        magic, _, _, size = HEADER.unpack((yield HEADER.size))
        if magic != MAGIC or size > MAX_LINK_LENGTH:
            raise UnknownMessageError("the display does not speak SPICE")
        announced = decode_reply((yield size))
        if announced is None:
            raise UnknownMessageError("the display refused the channel")
        self.capabilities = announced & self._link.capabilities
        if any((yield 4)):
            raise UnknownMessageError("the display refused the viewer")
        while True:
            message = _decode(
                (yield _header(self.capabilities).size), self.capabilities
            )
            if message.kind == _INIT and message.size >= _ID_LENGTH:
                connection_id = yield _ID_LENGTH
                self.connection_id = int.from_bytes(connection_id, "little")
                self._skip(message.size - _ID_LENGTH)
            else:
                self._skip(message.size)


class ViewOnlyFilter(MessageParser):
    """Lets only those messages pass on main that a display needs."""

    def __init__(self, display: DisplayMessages) -> None:
        """Start after the link message.

        :param display: what the display answers to it
        """
        self._display = display
        super().__init__()
        # A header waits until it is known whether its message passes.
        self.is_holding = True

    def filter(self, data: bytes) -> bytes:
        """Return what may be sent to the display.

        :param data: any part of the viewer's stream, however it was split
        :raises ViolationError: a message cannot be followed, or there are
            too many; the session has to end
        """
        passed = self.feed(data)
        if self.lost is not None:
            raise ViolationError(f"View-only session ended: {self.lost}.")
        return passed

    def _messages(self) -> Steps:
        first = yield 1
        capabilities = self._display.capabilities
        if capabilities is None:
            # How the message goes on depends on the display's answer.
            raise UnknownMessageError("the viewer did not wait for an answer")
        if Capability.AUTH_SELECTION in capabilities:
            mechanism = first + (yield 3)
            if int.from_bytes(mechanism, "little") != _TICKET:
                raise UnknownMessageError("the viewer chose SASL")
            self._skip(_TICKET_LENGTH)
        else:
            self._skip(_TICKET_LENGTH - 1)
        while True:
            message = _decode((yield _header(capabilities).size), capabilities)
            if message.sub_messages:
                raise UnknownMessageError("the viewer sent nested messages")
            self.is_dropping = message.kind not in _VIEW_ONLY
            self._skip(message.size)


def _header(capabilities: frozenset[Capability]) -> struct.Struct:
    if Capability.MINI_HEADER in capabilities:
        return _MINI_HEADER
    return _FULL_HEADER


def _decode(data: bytes, capabilities: frozenset[Capability]) -> _Message:
    if Capability.MINI_HEADER in capabilities:
        return _Message(*_MINI_HEADER.unpack(data))
    return _Message(*_FULL_HEADER.unpack(data)[1:])
