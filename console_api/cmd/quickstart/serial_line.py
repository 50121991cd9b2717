# SPDX-License-Identifier: Apache-2.0
"""The serial console of the quickstart's sample server.

It repeats each line that is typed, and runs nothing.
"""

import asyncio
import codecs
import contextlib

_BANNER = (
    "\r\nSerial console of the sample server.\r\n"
    "It repeats each line that you type.\r\n"
)
_PROMPT = "\r\nsample> "

# What the backspace key sends, and what deletes a character on a terminal.
_BACKSPACES = "\b\x7f"
_DELETE = "\b \b"

# The longest line, in characters.
_MAX_LINE = 1000


async def serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Serve a terminal until it disconnects."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    line = ""
    # Cancelled when the quickstart stops.
    with contextlib.suppress(OSError, asyncio.CancelledError):
        writer.write((_BANNER + _PROMPT).encode())
        while data := await reader.read(1024):
            for character in decoder.decode(data):
                answer, line = _type(character, line)
                writer.write(answer.encode())
            await writer.drain()
    writer.close()


def _type(character: str, line: str) -> tuple[str, str]:
    """Return what the terminal is sent for a character, and the line."""
    if character == "\r":
        repeated = f"\r\nYou typed: {line}" if line else ""
        return repeated + _PROMPT, ""
    if character in _BACKSPACES:
        return (_DELETE, line[:-1]) if line else ("", "")
    # Escape sequences of a terminal's keys are not repeated as such.
    if character.isprintable() and len(line) < _MAX_LINE:
        return character, line + character
    return "", line
