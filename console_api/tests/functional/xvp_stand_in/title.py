# SPDX-License-Identifier: Apache-2.0
"""The command line of this process, as other processes see it."""

import ctypes
from pathlib import Path

# Of /proc/self/stat, after the name of the program: see proc(5).
_ARG_START, _ARG_END = 45, 46


def set_title(title):
    """Overwrite the command line, like setproctitle(3) of BSD."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[_ARG_START]), int(fields[_ARG_END])
    text = title.encode("latin-1")[: end - start - 1]
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, text, len(text))
