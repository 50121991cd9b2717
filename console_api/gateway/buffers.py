# SPDX-License-Identifier: Apache-2.0
"""The memory into which all connections of a worker are read."""

import struct

#: Bytes in front of what is read, for the longest header of a frame from a
#: server to a browser (RFC 6455, section 5.2).
HEADER_SIZE = 10

# Reads of this size, in bytes, cost little more than smaller ones, and into
# memory that stays nothing is allocated for them.
_DISPLAY_SIZE = 256 * 1024

# A browser that sends tiny frames occupies the process for the time of one
# read, about 10 microseconds for each frame.
_BROWSER_SIZE = 16 * 1024

# FIN, and the opcode of a binary frame.
_BINARY = 0x82

_SHORT, _MEDIUM, _LONG = (
    struct.Struct(layout) for layout in (">BB", ">BBH", ">BBQ")
)


class ReadBuffer:
    """A buffer that is read into, and written from before the next read.

    An event loop reads and calls back without running anything else, so all
    connections can share one.
    """

    __slots__ = ("_memory", "for_browsers", "for_displays")

    def __init__(self) -> None:
        """Allocate the memory."""
        self.replace()

    def replace(self) -> None:
        """Leave the memory to a transport that has not sent all of it."""
        self._memory = memoryview(bytearray(HEADER_SIZE + _DISPLAY_SIZE))
        #: Where to read what displays and browsers send.
        self.for_displays = self._memory[HEADER_SIZE:]
        self.for_browsers = self.for_displays[:_BROWSER_SIZE]

    def frame(self, count: int) -> memoryview:
        """Return a frame with what was read from a display.

        :param count: how many bytes were read
        """
        memory = self._memory
        if count < 126:
            start = HEADER_SIZE - _SHORT.size
            _SHORT.pack_into(memory, start, _BINARY, count)
        elif count < 1 << 16:
            start = HEADER_SIZE - _MEDIUM.size
            _MEDIUM.pack_into(memory, start, _BINARY, 126, count)
        else:
            start = HEADER_SIZE - _LONG.size
            _LONG.pack_into(memory, start, _BINARY, 127, count)
        return memory[start : HEADER_SIZE + count]
