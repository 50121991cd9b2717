# SPDX-License-Identifier: Apache-2.0
"""A progress bar for people; programs and log files never see it."""

import shutil
from types import TracebackType
from typing import Self, TextIO

_CLEAR_LINE = "\r\033[K"

# The widest that the bar itself becomes.
_BAR = 40


class ProgressBar:
    """A bar on the last line of a terminal, gone when it is left."""

    def __init__(
        self, stream: TextIO, label: str, *, quiet: bool = False
    ) -> None:
        """Prepare a bar that is shown only if the stream is a terminal."""
        self._stream = stream
        self._label = label
        self._shown = stream.isatty() and not quiet
        self._text = ""

    def __enter__(self) -> Self:
        """Begin; nothing is drawn before something is done."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take the bar away, so that a result or an error has the line."""
        if self._text:
            self._stream.write(_CLEAR_LINE)
            self._stream.flush()

    def update(self, done: int, total: int) -> None:
        """Draw how much of the whole is done."""
        if not self._shown:
            return
        text = self._render(done, max(total, done, 1))
        if text != self._text:
            self._text = text
            self._stream.write(_CLEAR_LINE + text)
            self._stream.flush()

    def _render(self, done: int, total: int) -> str:
        numbers = f" {100 * done // total:3} % {done} of {total}"
        columns = shutil.get_terminal_size().columns
        # One column stays free: some terminals wrap after the last one.
        room = columns - len(self._label) - len(numbers) - len(" []") - 1
        width = min(_BAR, room)
        if width < 1:
            return f"{self._label}{numbers}"[: columns - 1]
        full = width * done // total
        return f"{self._label} [{'#' * full:{width}}]{numbers}"
