# SPDX-License-Identifier: Apache-2.0
"""What streams are piped into."""

from typing import Protocol


class PipeEnd(Protocol):
    """One end of a pipe.

    An end writes what it reads to the other end.  When it has more to send
    than it should buffer, it pauses the other end, and resumes it later.
    """

    def write(self, data: bytes) -> None:
        """Send bytes, now or as soon as possible."""

    def pause(self) -> None:
        """Stop reading until ``resume``."""

    def resume(self) -> None:
        """Continue reading."""
