# SPDX-License-Identifier: Apache-2.0
"""Both directions of a session, whose display can be replaced."""

import struct

from console_api.rfb.messages.display import DisplayMessages
from console_api.rfb.messages.encodings import (
    DESKTOP_SIZE,
    EXTENDED_DESKTOP_SIZE,
    HEADER,
)
from console_api.rfb.messages.parser import UnknownMessageError
from console_api.rfb.messages.state import Extension, SessionState
from console_api.rfb.messages.viewer import (
    SET_ENCODINGS,
    SET_PIXEL_FORMAT,
    UPDATE_REQUEST,
    ViewerMessages,
)


class SessionMessages:
    """Follows a session, from ClientInit and ServerInit to its end."""

    def __init__(self) -> None:
        """Follow a new session."""
        self.state = SessionState()
        self.viewer = ViewerMessages(self.state)
        self.display = DisplayMessages(self.state)
        self._can_resize = False

    def lose_display(self) -> bytes:
        """Drop what the viewer sends until there is another display.

        :returns: what completes the last message to the viewer
        :raises UnknownMessageError: the display cannot be replaced
        """
        lost = self.viewer.lost or self.display.lost
        if lost is not None:
            raise UnknownMessageError(lost)
        completion = self.display.completion()
        if completion is None:
            raise UnknownMessageError("the last update is incomplete")
        self._can_resize |= Extension.SET_DESKTOP_SIZE in self.state.announced
        self.state.lose_display()
        self.viewer.is_dropping = self.viewer.is_holding = True
        return completion

    def replace_display(self, width: int, height: int) -> tuple[bytes, bytes]:
        """Continue with another display, whose ServerInit was received.

        :param width: of its framebuffer
        :param height: of its framebuffer
        :returns: what to send to the viewer and to the display
        :raises UnknownMessageError: the viewer cannot continue
        """
        if self.viewer.lost is not None:
            raise UnknownMessageError(self.viewer.lost)
        if not self.display.restart():
            raise UnknownMessageError("the compressed data is incomplete")
        state = self.state
        to_viewer = b""
        if state.size != (width, height):
            to_viewer = self._resize(width, height)
            state.size = (width, height)
        to_display = b""
        if state.pixel_format is not None:
            to_display += struct.pack(
                ">Bxxx16s", SET_PIXEL_FORMAT, state.pixel_format.encoded
            )
        if state.encodings is not None:
            to_display += bytes((SET_ENCODINGS,)) + state.encodings
        if state.has_requested:
            to_display += struct.pack(
                ">BBHHHH", UPDATE_REQUEST, 0, 0, 0, width, height
            )
        state.is_display_lost = False
        return to_viewer, to_display

    def _resize(self, width: int, height: int) -> bytes:
        """Return an update with a new size of the framebuffer."""
        offered = self.state.encoding_numbers
        if DESKTOP_SIZE in offered and not self._can_resize:
            encoding, screens = DESKTOP_SIZE, b""
        elif EXTENDED_DESKTOP_SIZE in offered:
            encoding = EXTENDED_DESKTOP_SIZE
            screens = struct.pack(">B3xI4HI", 1, 0, 0, 0, width, height, 0)
        else:
            raise UnknownMessageError(
                "the viewer does not support another size of the screen"
            )
        header = HEADER.pack(0, 0, width, height, encoding)
        return struct.pack(">BxH", 0, 1) + header + screens
