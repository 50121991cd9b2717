# SPDX-License-Identifier: Apache-2.0
"""The number of files that xvp can open.

A process that xvp has forked closes as many files before it closes the ports.
"""

import contextlib
import resource

# How many files xvp may have open besides its ports.
_OTHER_FILES = 64

# Lowers the limit of open files, then becomes another program.
_LIMITED = ("/bin/sh", "-c", 'ulimit -S -n "$1"; shift; exec "$@"', "sh")


def limited_command(port_count: int) -> list[str]:
    """Return how a command begins that starts xvp with a low limit.

    The limit holds from the first fork of xvp on.
    """
    return [*_LIMITED, str(port_count + _OTHER_FILES)]


def set_limit(pid: int, port_count: int) -> None:
    """Allow a running xvp to open these ports, and not many more files."""
    # It may have exited, or have a lower hard limit.
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(
            pid, resource.RLIMIT_NOFILE, (port_count + _OTHER_FILES, hard)
        )
