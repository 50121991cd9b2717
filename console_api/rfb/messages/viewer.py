# SPDX-License-Identifier: Apache-2.0
"""Messages from a viewer: RFC 6143, section 7.5, and extensions.

Extensions are specified by the community's version of the protocol
("rfbproto").
"""

import struct
from collections.abc import Callable, Generator
from typing import ClassVar

from console_api.rfb.messages.parser import (
    MessageParser,
    Steps,
    UnknownMessageError,
)
from console_api.rfb.messages.state import Extension, SessionState

#: Types of messages.
SET_PIXEL_FORMAT = 0
SET_ENCODINGS = 2
UPDATE_REQUEST = 3
KEY_EVENT = 4
POINTER_EVENT = 5
CUT_TEXT = 6
CONTINUOUS_UPDATES = 150
FENCE = 248
XVP = 250
SET_DESKTOP_SIZE = 251
QEMU = 255

#: Types of QEMU's messages, and the operation of audio that has a format.
QEMU_KEY_EVENT = 0
QEMU_AUDIO = 1
QEMU_AUDIO_FORMAT = b"\0\2"

#: Set in the flags of a fence that has to be answered.
FENCE_REQUEST = 1 << 31

#: Longer lists of encodings are not read; viewers know a few dozen.
MAX_ENCODINGS = 1024

#: The longest fence, in bytes: section "Fence" of rfbproto.
MAX_FENCE_LENGTH = 64

# Viewers wait for the answer to one fence or two.
_MAX_FENCES = 16


class ViewerMessages(MessageParser):
    """Follows what a viewer sends after ClientInit."""

    def __init__(self, state: SessionState) -> None:
        """Start after ClientInit."""
        self._state = state
        self._message = b""
        super().__init__()

    def _messages(self) -> Steps:
        while True:
            self._is_between_messages = True
            kind = yield 1
            self._is_between_messages = False
            self.is_dropping = self._state.is_display_lost
            self._message = b""
            self._keep(kind)
            handler = self._HANDLERS.get(kind[0])
            if handler is None:
                raise UnknownMessageError(
                    f"the viewer sent a message of type {kind[0]}"
                )
            if not (yield from handler(self)):
                self.is_dropping = True
            elif self.is_holding and not self.is_dropping:
                self._replace(self._message)

    def _read(self, count: int) -> Generator[int, bytes, bytes]:
        """Wait for the next part of the current message."""
        data = yield count
        self._keep(data)
        return data

    def _keep(self, data: bytes) -> None:
        """Hold a part of a message until it is known whether it is dropped."""
        if self.is_holding:
            self._message += data
            self._replace(b"")

    # Each handler reads a message and returns whether to forward it.

    def _set_pixel_format(self) -> Generator[int, bytes, bool]:
        body = yield from self._read(19)
        self._state.set_pixel_format(body[3:])
        return True

    def _set_encodings(self) -> Generator[int, bytes, bool]:
        body = yield from self._read(3)
        count = int.from_bytes(body[1:])
        if count > MAX_ENCODINGS:
            raise UnknownMessageError(f"the viewer sent {count} encodings")
        encodings = yield from self._read(4 * count)
        self._state.encodings = body + encodings
        self._state.encoding_numbers = frozenset(
            number for (number,) in struct.iter_unpack(">i", encodings)
        )
        return True

    def _request_update(self) -> Generator[int, bytes, bool]:
        yield from self._read(9)
        self._state.request_update()
        return True

    def _key_event(self) -> Generator[int, bytes, bool]:
        yield from self._read(7)
        return True

    def _pointer_event(self) -> Generator[int, bytes, bool]:
        body = yield from self._read(5)
        if body[0] & 0x80 and self._state.has_extended_mouse_buttons:
            yield from self._read(1)
            return self._state.require(Extension.EXTENDED_MOUSE_BUTTONS)
        return True

    def _cut_text(self) -> Generator[int, bytes, bool]:
        body = yield from self._read(7)
        length = int.from_bytes(body[3:], signed=True)
        self._skip(abs(length))
        return length >= 0 or self._state.require(Extension.EXTENDED_CLIPBOARD)

    def _enable_continuous_updates(self) -> Generator[int, bytes, bool]:
        body = yield from self._read(9)
        self._state.enable_continuous_updates(body)
        return self._state.require(Extension.CONTINUOUS_UPDATES)

    def _fence(self) -> Generator[int, bytes, bool]:
        body = yield from self._read(8)
        if body[7] > MAX_FENCE_LENGTH:
            raise UnknownMessageError("the viewer sent a long fence")
        body += yield from self._read(body[7])
        state = self._state
        if int.from_bytes(body[3:7]) & FENCE_REQUEST:
            state.fences.append(body)
            if len(state.fences) > _MAX_FENCES:
                raise UnknownMessageError("the viewer sent many fences")
        elif state.stale_answers:
            state.stale_answers -= 1
            return False
        else:
            state.display_fences = max(0, state.display_fences - 1)
        return state.require(Extension.FENCE)

    def _xvp(self) -> Generator[int, bytes, bool]:
        yield from self._read(3)
        return self._state.require(Extension.XVP)

    def _set_desktop_size(self) -> Generator[int, bytes, bool]:
        body = yield from self._read(7)
        yield from self._read(16 * body[5])
        return self._state.require(Extension.SET_DESKTOP_SIZE)

    def _qemu(self) -> Generator[int, bytes, bool]:
        kind = (yield from self._read(1))[0]
        if kind == QEMU_KEY_EVENT:
            yield from self._read(10)
            return self._state.require(Extension.EXTENDED_KEYS)
        if kind != QEMU_AUDIO:
            raise UnknownMessageError(
                f"the viewer sent a message of type {QEMU}, {kind}"
            )
        operation = yield from self._read(2)
        if operation == QEMU_AUDIO_FORMAT:
            yield from self._read(6)
        return self._state.require(Extension.AUDIO)

    _HANDLERS: ClassVar[
        dict[int, Callable[..., Generator[int, bytes, bool]]]
    ] = {
        SET_PIXEL_FORMAT: _set_pixel_format,
        SET_ENCODINGS: _set_encodings,
        UPDATE_REQUEST: _request_update,
        KEY_EVENT: _key_event,
        POINTER_EVENT: _pointer_event,
        CUT_TEXT: _cut_text,
        CONTINUOUS_UPDATES: _enable_continuous_updates,
        FENCE: _fence,
        XVP: _xvp,
        SET_DESKTOP_SIZE: _set_desktop_size,
        QEMU: _qemu,
    }
