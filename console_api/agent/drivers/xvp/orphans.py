# SPDX-License-Identifier: Apache-2.0
"""Orphaned xvp processes, which an agent left behind when it was killed.

They are found by their arguments, which name files of this agent only.  The
pid file is not reliable: xvp writes it late, without a lock, and a second xvp
deletes it.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path

# Interval, in seconds, between checks whether they have exited.
_INTERVAL = 0.02


async def terminate(arguments: Sequence[str], grace_time: float) -> int:
    """Terminate all processes whose command line ends in these arguments.

    :param grace_time: seconds to exit in before they are killed
    :returns: the number of processes found
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace_time
    found = left = await asyncio.to_thread(find, arguments)
    _signal(found, signal.SIGTERM)
    # A process that survives SIGKILL is another user's, or blocked on a
    # disk: then its ports are in use, and that is reported.
    while left and loop.time() < deadline + 1:
        if loop.time() > deadline:
            _signal(left, signal.SIGKILL)
        await asyncio.sleep(_INTERVAL)
        left = await asyncio.to_thread(find, arguments)
    return len(found)


def find(arguments: Sequence[str]) -> list[int]:
    """Return the ids of processes whose command line ends in arguments."""
    wanted = list(arguments)
    return [
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit()
        and _command_line(folder)[-len(wanted) :] == wanted
    ]


def _command_line(folder: Path) -> list[str]:
    try:
        line = (folder / "cmdline").read_bytes()
    except OSError:
        # It has exited.
        return []
    return os.fsdecode(line).removesuffix("\0").split("\0")


def _signal(processes: Sequence[int], number: signal.Signals) -> None:
    for process in processes:
        # It may have exited, or be another user's.
        with contextlib.suppress(OSError):
            os.kill(process, number)
