# SPDX-License-Identifier: Apache-2.0
"""What a viewer and a display have agreed on during a session."""

import enum
import struct
from typing import NamedTuple, Self

from console_api.rfb.messages.parser import UnknownMessageError

#: Length of a PIXEL_FORMAT: RFC 6143, section 7.4.
PIXEL_FORMAT_LENGTH = 16

_BITS = (8, 16, 32)


class Extension(enum.Enum):
    """Messages that a viewer sends only after the display has agreed."""

    CONTINUOUS_UPDATES = "continuous updates"
    FENCE = "fences"
    XVP = "power control"
    SET_DESKTOP_SIZE = "resizing"
    EXTENDED_KEYS = "extended key events"
    AUDIO = "audio"
    EXTENDED_MOUSE_BUTTONS = "extended mouse buttons"
    EXTENDED_CLIPBOARD = "the extended clipboard"


class PixelFormat(NamedTuple):
    """How pixels are encoded, as far as their length is concerned.

    ``size`` is in bytes.  ``tight_size`` is the length of a TPIXEL of the
    Tight encoding, None if implementations disagree on it.
    """

    encoded: bytes
    size: int
    tight_size: int | None

    @classmethod
    def decode(cls, encoded: bytes) -> Self:
        """Decode a PIXEL_FORMAT.

        :raises UnknownMessageError: the length of a pixel is invalid
        """
        bits, depth, _, is_true_color, *maxima = struct.unpack(
            ">BBB?HHHxxxxxx", encoded
        )
        if bits not in _BITS:
            raise UnknownMessageError(f"pixels of {bits} bits")
        count = bits // 8
        tight: int | None = count
        if bits == 32 and is_true_color and maxima == [255, 255, 255]:
            tight = 3 if depth == 24 else None
        return cls(encoded, count, tight)

    def has_same_lengths(self, other: Self) -> bool:
        """Return whether data in both formats has the same lengths."""
        return self[1:] == other[1:]


class SessionState:
    """What both directions of a session have to know of each other."""

    def __init__(self) -> None:
        """Start before ServerInit."""
        #: The format of pixels from the next update on.
        self.pixel_format: PixelFormat | None = None
        #: Width and height of the framebuffer that the viewer knows.
        self.size = (0, 0)
        #: The body of the viewer's SetEncodings, and the numbers in it.
        self.encodings: bytes | None = None
        self.encoding_numbers: frozenset[int] = frozenset()
        #: Whether the viewer has ever requested an update.
        self.has_requested = False
        #: Whether an update is being received from the display.
        self.is_inside_update = False
        #: What the current display has announced.
        self.announced: set[Extension] = set()
        #: Whether the viewer may send a longer form of PointerEvent.
        self.has_extended_mouse_buttons = False
        #: The body of the message that enabled continuous updates, if any.
        self.continuous_updates: bytes | None = None
        #: How many times the display has to confirm that they ended.
        self.expected_ends = 0
        #: Fences of the viewer that the display has not answered yet.
        self.fences: list[bytes] = []
        #: Fences of the display that the viewer has not answered yet.
        self.display_fences = 0
        #: Answers of the viewer to fences of an earlier display.
        self.stale_answers = 0
        #: Whether there is no display at the moment.
        self.is_display_lost = False
        #: Whether the display is not the first one.
        self.is_replaced = False
        #: Whether the display has sent a picture, after which it announces
        #: no more extensions.
        self.is_settled = False
        #: Messages to the display besides those of the viewer.
        self.to_display = bytearray()
        self._pending_format: PixelFormat | None = None
        self._is_update_outstanding = False

    def require(self, extension: Extension) -> bool:
        """Return whether the display understands a message of the viewer.

        A message that comes before a new display had the time to announce
        the extension is lost.

        :raises UnknownMessageError: the display does not support what
            the one before it supported
        """
        if extension in self.announced or not self.is_replaced:
            return True
        if self.is_settled:
            raise UnknownMessageError(
                f"the display no longer supports {extension.value}"
            )
        return False

    def request_update(self) -> None:
        """Record a FramebufferUpdateRequest."""
        self.has_requested = self._is_update_outstanding = True

    def set_pixel_format(self, encoded: bytes) -> None:
        """Record a SetPixelFormat.

        Viewers send it when no update is on its way in the old format.

        :raises UnknownMessageError: the format is invalid, or it is unknown
            from which update on it applies
        """
        chosen = PixelFormat.decode(encoded)
        if self.is_display_lost:
            self.pixel_format = chosen
            return
        current = self._pending_format or self.pixel_format
        if current is None or chosen.has_same_lengths(current):
            self.pixel_format = chosen
        elif self.is_inside_update or self.expected_ends:
            self._pending_format = chosen
        elif self._is_update_outstanding or self.continuous_updates:
            raise UnknownMessageError("a new pixel format during an update")
        else:
            self.pixel_format = chosen

    def begin_update(self) -> None:
        """Record the beginning of a FramebufferUpdate."""
        self.is_inside_update = True
        self._is_update_outstanding = False

    def end_update(self) -> None:
        """Record the end of a FramebufferUpdate."""
        self.is_inside_update = False
        if not self.expected_ends:
            self._apply_format()

    def enable_continuous_updates(self, body: bytes) -> None:
        """Record an EnableContinuousUpdates."""
        if body[0]:
            self.continuous_updates = body
        else:
            self.continuous_updates = None
            self.expected_ends += 1

    def end_continuous_updates(self) -> None:
        """Record an EndOfContinuousUpdates."""
        self.announced.add(Extension.CONTINUOUS_UPDATES)
        self.expected_ends = max(0, self.expected_ends - 1)
        if not self.expected_ends:
            self._apply_format()

    def lose_display(self) -> None:
        """Record that the display went away."""
        self.is_display_lost = self.is_replaced = True
        self.is_inside_update = self.is_settled = False
        self.stale_answers += self.display_fences
        self.display_fences = 0
        self.announced.clear()
        self._apply_format()

    def _apply_format(self) -> None:
        self.pixel_format = self._pending_format or self.pixel_format
        self._pending_format = None
