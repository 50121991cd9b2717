# SPDX-License-Identifier: Apache-2.0
"""Messages of a viewer that only watches.

RFC 6143, section 7.5, and extensions as specified by the community's version
of the protocol ("rfbproto").  A message is judged by itself: displays obey
messages of extensions that were not negotiated.
"""

import struct
from collections.abc import Callable
from typing import ClassVar, Literal

from console_api.rfb.errors import ViolationError
from console_api.rfb.messages import viewer
from console_api.rfb.messages.parser import (
    MessageParser,
    Steps,
    UnknownMessageError,
)

_GII = 253

# Set in the first byte after a gii message's type if its length is big endian.
_GII_BIG_ENDIAN = 0x80

# Lengths of messages, without their type.
_PASSED = {
    viewer.SET_PIXEL_FORMAT: 19,
    viewer.UPDATE_REQUEST: 9,
    viewer.CONTINUOUS_UPDATES: 9,
}
_DROPPED = {viewer.KEY_EVENT: 7, viewer.POINTER_EVENT: 5, viewer.XVP: 3}

# Encodings that ask for a channel of input: QEMU's extended key events and
# audio, gii, xvp, extended mouse buttons, and the extended clipboard.
_INPUT_ENCODINGS = {-258, -259, -305, -309, -316, 0xC0A1E5CE - (1 << 32)}


class ViewOnlyFilter(MessageParser):
    """Lets only those messages pass that a display needs to send pictures."""

    def __init__(self) -> None:
        """Start after ClientInit."""
        super().__init__()
        # Messages that pass replace the last part of what is dropped.
        self.is_holding = self.is_dropping = True

    def filter(self, data: bytes) -> bytes:
        """Return what may be sent to the display.

        A message passes when it is complete.

        :param data: any part of the viewer's stream, however it was split
        :raises ViolationError: a message has no known length or is too long,
            or there are too many; the session has to end
        """
        passed = self.feed(data)
        if self.lost is not None:
            raise ViolationError(f"View-only session ended: {self.lost}.")
        return passed

    def _messages(self) -> Steps:
        while True:
            kind = (yield 1)[0]
            if kind in _PASSED:
                body = yield _PASSED[kind]
                self._replace(bytes((kind,)) + body)
            elif kind in _DROPPED:
                yield _DROPPED[kind]
            elif kind in self._HANDLERS:
                yield from self._HANDLERS[kind](self)
            else:
                raise UnknownMessageError(
                    f"the viewer sent a message of type {kind}"
                )

    def _set_encodings(self) -> Steps:
        count = int.from_bytes((yield 3)[1:])
        if count > viewer.MAX_ENCODINGS:
            raise UnknownMessageError(f"the viewer sent {count} encodings")
        encodings = [
            number
            for (number,) in struct.iter_unpack(">i", (yield 4 * count))
            if number not in _INPUT_ENCODINGS
        ]
        self._replace(
            struct.pack(
                f">BxH{len(encodings)}i",
                viewer.SET_ENCODINGS,
                len(encodings),
                *encodings,
            )
        )

    def _cut_text(self) -> Steps:
        # A negative length announces the extended clipboard.
        self._skip(abs(int.from_bytes((yield 7)[3:], signed=True)))

    def _fence(self) -> Steps:
        body = yield 8
        if body[7] > viewer.MAX_FENCE_LENGTH:
            raise UnknownMessageError("the viewer sent a long fence")
        body += yield body[7]
        self._replace(bytes((viewer.FENCE,)) + body)

    def _set_desktop_size(self) -> Steps:
        self._skip(16 * (yield 7)[5])

    def _gii(self) -> Steps:
        body = yield 3
        is_big_endian = body[0] & _GII_BIG_ENDIAN
        order: Literal["big", "little"] = "big" if is_big_endian else "little"
        self._skip(int.from_bytes(body[1:], order))

    def _qemu(self) -> Steps:
        kind = (yield 1)[0]
        if kind == viewer.QEMU_KEY_EVENT:
            yield 10
        elif kind == viewer.QEMU_AUDIO:
            operation = yield 2
            if operation == viewer.QEMU_AUDIO_FORMAT:
                yield 6
            elif operation > viewer.QEMU_AUDIO_FORMAT:
                raise UnknownMessageError("the viewer sent unknown audio")
        else:
            raise UnknownMessageError(
                f"the viewer sent a message of type {viewer.QEMU}, {kind}"
            )

    _HANDLERS: ClassVar[dict[int, Callable[..., Steps]]] = {
        viewer.SET_ENCODINGS: _set_encodings,
        viewer.CUT_TEXT: _cut_text,
        viewer.FENCE: _fence,
        viewer.SET_DESKTOP_SIZE: _set_desktop_size,
        _GII: _gii,
        viewer.QEMU: _qemu,
    }
