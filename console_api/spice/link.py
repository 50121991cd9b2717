# SPDX-License-Identifier: Apache-2.0
"""The first message of each channel, and the display's answer to it."""

import enum
import struct
from dataclasses import dataclass, field

from console_api.rfb.errors import ViolationError

MAGIC = b"REDQ"

#: Magic, major and minor version, size of what follows.
HEADER = struct.Struct("<4sIII")

#: Longer link messages are not read, in bytes, without their header; those
#: of viewers and displays have about 200.
MAX_LINK_LENGTH = 4096

_MAJOR_VERSION = 2

# Connection ID, types of channel and its number, numbers of capabilities
# (common ones and those of the channel), their offset.
_LINK = struct.Struct("<IBBIII")

# Error, public key, capabilities as above.
_REPLY = struct.Struct("<I162sIII")


class ChannelType(enum.IntEnum):
    """What a channel carries, if the gateway makes a difference."""

    MAIN = 1
    DISPLAY = 2
    INPUTS = 3
    CURSOR = 4
    PLAYBACK = 5


#: What a session that only watches may open: the other types carry input.
VIEW_ONLY_TYPES = {
    ChannelType.MAIN,
    ChannelType.DISPLAY,
    ChannelType.CURSOR,
    ChannelType.PLAYBACK,
}


class Capability(enum.IntEnum):
    """Numbers of common capabilities that change what follows."""

    AUTH_SELECTION = 0
    MINI_HEADER = 3


@dataclass(frozen=True, slots=True)
class Link:
    """The link message of a viewer.

    ``message`` is all of it, to be sent to the display.
    """

    connection_id: int
    channel_type: int
    capabilities: frozenset[Capability]
    message: bytes = field(repr=False)

    @property
    def is_main(self) -> bool:
        """Whether the channel begins a session."""
        return self.channel_type == ChannelType.MAIN


class LinkReader:
    """Waits for the link message of a viewer."""

    def __init__(self) -> None:
        """Start with the first byte of the viewer."""
        self._received = b""

    def receive(self, data: bytes) -> Link | None:
        """Add received bytes; return the link message once it is complete.

        :param data: any part of the stream, however it was split
        :raises ViolationError: the viewer does not speak SPICE
        """
        self._received += data
        beginning = self._received[: len(MAGIC)]
        if not MAGIC.startswith(beginning):
            raise ViolationError("The viewer does not speak SPICE.")
        if len(self._received) < HEADER.size:
            return None
        _, major, _, size = HEADER.unpack_from(self._received)
        if major != _MAJOR_VERSION:
            raise ViolationError(f"The viewer speaks SPICE {major}.")
        if not _LINK.size <= size <= MAX_LINK_LENGTH:
            raise ViolationError(f"The link message has {size} bytes.")
        missing = HEADER.size + size - len(self._received)
        if missing < 0:
            # How it goes on depends on the display's answer.
            raise ViolationError("The viewer did not wait for an answer.")
        return None if missing else self._decode()

    def _decode(self) -> Link:
        body = self._received[HEADER.size :]
        connection_id, channel_type, _, *counts = _LINK.unpack_from(body)
        capabilities = decode_capabilities(body, _LINK.size, *counts)
        if capabilities is None:
            raise ViolationError("The link message is malformed.")
        # Only main begins a session, and it does nothing else.
        if (channel_type == ChannelType.MAIN) != (connection_id == 0):
            raise ViolationError(
                f"A channel of type {channel_type} has the connection ID "
                f"{connection_id}."
            )
        return Link(connection_id, channel_type, capabilities, self._received)


def decode_capabilities(
    body: bytes, fixed: int, common: int, channel: int, offset: int
) -> frozenset[Capability] | None:
    """Return the common capabilities in a link message or its answer.

    :param body: the message without its header
    :param fixed: length of the part in front of the capabilities
    :param common: number of words with common capabilities
    :param channel: number of words with those of the channel
    :param offset: where the words begin
    :returns: None if the message is malformed
    """
    count = common + channel
    if not count:
        return frozenset()
    if offset < fixed or offset + 4 * count > len(body):
        return None
    # The first word has the capabilities from 0 to 31.
    word = int.from_bytes(body[offset : offset + 4 * min(common, 1)], "little")
    return frozenset(
        capability for capability in Capability if word >> capability & 1
    )


def decode_reply(body: bytes) -> frozenset[Capability] | None:
    """Return the common capabilities of a display.

    :param body: its answer to a link message, without the header
    :returns: None if the display refuses the channel, or the answer is
        malformed
    """
    if len(body) < _REPLY.size:
        return None
    error, _, *counts = _REPLY.unpack_from(body)
    return (
        decode_capabilities(body, _REPLY.size, *counts) if not error else None
    )
