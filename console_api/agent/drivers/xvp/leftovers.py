# SPDX-License-Identifier: Apache-2.0
"""Processes of xvp that an agent left behind when it was killed.

They are found by their arguments, which name files that nobody else uses.
The pid file would not do: xvp writes it late, without a lock, and a second
xvp deletes it.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path

# Seconds between two looks at whether they have ended.
_PAUSE = 0.02


async def end(arguments: Sequence[str], seconds: float) -> int:
    """End all processes whose last arguments are these.

    :param seconds: how long they have before they are killed
    :returns: how many there were
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    found = left = await asyncio.to_thread(find, arguments)
    _signal(found, signal.SIGTERM)
    # What outlives being killed is not ours, or waits for a broken disk:
    # then its ports are taken, and that is reported.
    while left and loop.time() < deadline + 1:
        if loop.time() > deadline:
            _signal(left, signal.SIGKILL)
        await asyncio.sleep(_PAUSE)
        left = await asyncio.to_thread(find, arguments)
    return len(found)


def find(arguments: Sequence[str]) -> list[int]:
    """Return the ids of the processes whose last arguments are these."""
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
        # It has ended meanwhile.
        return []
    return os.fsdecode(line).removesuffix("\0").split("\0")


def _signal(processes: Sequence[int], number: signal.Signals) -> None:
    for process in processes:
        # It may have ended meanwhile, or be another user's.
        with contextlib.suppress(OSError):
            os.kill(process, number)
