# SPDX-License-Identifier: Apache-2.0
"""The log of xvp, which gets a line for each port at each reload."""

import re
from pathlib import Path

#: The size, in bytes, from which on the log is rotated.
MAX_SIZE = 10 * 1024 * 1024

# What xvp logs of a file that it refuses, and how much of the log is searched.
_SYNTAX_ERROR = re.compile(rb"Syntax error at line ([0-9]{1,9})\b")
_MAX_SEARCHED = 1024 * 1024


def size(log: Path) -> int:
    """Return the size of the log in bytes, 0 if there is none."""
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


def find_refused_line(log: Path, start: int) -> int | None:
    """Return the number of the line for which xvp refused its file, if any.

    :param start: the size of the log before xvp read the file
    """
    try:
        with log.open("rb") as file:
            file.seek(start)
            found = _SYNTAX_ERROR.search(file.read(_MAX_SEARCHED))
    except OSError:
        return None
    return int(found[1]) if found else None


def rotate(log: Path) -> bool:
    """Rename the log if it is large, replacing the one renamed before.

    :returns: whether it was renamed, so that xvp has to open it again
    :raises OSError: it cannot be renamed
    """
    if size(log) < MAX_SIZE:
        return False
    log.rename(log.with_name(f"{log.name}.1"))
    return True
