# SPDX-License-Identifier: Apache-2.0
"""Following a stream of messages while its bytes are forwarded."""

import abc
import time
from collections.abc import Generator

#: Yields how many bytes are needed next, and receives exactly those.
Steps = Generator[int, bytes, None]

# How many steps a stream may take per second, and how many at once.  A stream
# of tiny messages would otherwise occupy the process.
_MAX_STEP_RATE = 100_000
_MAX_BURST = 400_000


class UnknownMessageError(Exception):
    """A message cannot be followed; the text says why, without a period."""


class MessageParser(abc.ABC):
    """Follows one direction of a session.

    Payloads are skipped, never buffered.  Bytes are forwarded as they are
    received, unless a subclass drops or replaces some of them.
    """

    def __init__(self) -> None:
        """Start with the first message."""
        #: Why the stream cannot be followed any longer; it is forwarded
        #: unchanged from then on.
        self.lost: str | None = None
        #: Whether an incomplete header waits until it is complete, which
        #: makes it possible to replace it.
        self.is_holding = False
        #: Whether bytes are not forwarded.
        self.is_dropping = False
        self._is_between_messages = False
        self._replacement: bytes | None = None
        self._credit = _MAX_BURST
        self._credited_at = time.monotonic()
        self._start(self._messages())

    @property
    def is_at_boundary(self) -> bool:
        """Whether everything forwarded consists of complete messages."""
        return self._is_between_messages and not self._remaining

    def feed(self, data: bytes) -> bytes:
        """Follow received bytes.

        :param data: any part of the stream, however it was split
        :returns: the bytes to forward
        """
        if len(data) <= self._remaining and not self.is_dropping:
            self._remaining -= len(data)
            return data
        if self.lost is not None:
            return data
        return self._parse(data)

    @abc.abstractmethod
    def _messages(self) -> Steps:
        """Follow messages endlessly.

        Sets ``_is_between_messages``.

        :raises UnknownMessageError: the stream cannot be followed
        """

    def _start(self, steps: Steps) -> None:
        # The beginning of a header, and how many bytes of it were forwarded.
        self._incomplete = b""
        self._forwarded = 0
        # Bytes of a payload that are still to come.
        self._remaining = 0
        self._steps = steps
        self._needed = next(steps)

    def _skip(self, count: int) -> None:
        """Skip bytes that follow the last header."""
        self._remaining += count

    def _replace(self, data: bytes) -> None:
        """Forward other bytes instead of the header just received.

        Only possible while ``is_holding``.
        """
        self._replacement = data

    def _parse(self, data: bytes) -> bytes:
        pieces: list[bytes] = []
        # Everything before ``start`` was forwarded, dropped or is in pieces.
        start = self._forwarded
        if self._incomplete:
            data = self._incomplete + data
        position = steps = 0
        try:
            while True:
                if self._remaining:
                    count = min(self._remaining, len(data) - position)
                    if self.is_dropping:
                        start = position + count
                    self._remaining -= count
                    position += count
                header = data[position : position + self._needed]
                if self._remaining or len(header) < self._needed:
                    break
                steps += 1
                self._replacement = None
                self._needed = self._steps.send(header)
                if self._replacement is not None or self.is_dropping:
                    pieces += data[start:position], self._replacement or b""
                    start = position + len(header)
                position += len(header)
            self._spend(steps)
        except UnknownMessageError as error:
            self.lost = str(error)
            position = len(data)
        self._incomplete = data[position:]
        is_held = self.is_holding or self.is_dropping
        end = position if is_held else len(data)
        self._forwarded = end - position
        pieces.append(data[start:end])
        return b"".join(pieces) if len(pieces) > 1 else pieces[0]

    def _spend(self, steps: int) -> None:
        now = time.monotonic()
        earned = int((now - self._credited_at) * _MAX_STEP_RATE)
        self._credited_at = now
        self._credit = min(self._credit + earned, _MAX_BURST) - steps
        if self._credit < 0:
            raise UnknownMessageError("too many small messages")
