# SPDX-License-Identifier: Apache-2.0
"""The directory of the files of one agent."""

import fcntl
import os
from pathlib import Path
from typing import IO

from console_api import errors


def create(path: Path) -> Path:
    """Create the directory of an agent, and return its absolute path.

    :raises ConfigurationError: it cannot be created
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise errors.ConfigurationError(
            f"[xvp] state_dir: cannot create the directory {path}: {error}"
        ) from error
    return path.resolve()


def write(path: Path, text: str) -> None:
    """Replace a file, which only this user can read.

    Nothing ever reads half of it.

    :raises OSError: it cannot be written
    """
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(draft, flags, 0o600), "w") as file:
        file.write(text)
    draft.rename(path)


def lock(folder: Path) -> IO[str]:
    """Lock a directory against other agents.

    The lock is released when the process exits, however it exits.

    :raises ConfigurationError: another agent uses the directory
    """
    try:
        file = (folder / ".lock").open("w")
    except OSError as error:
        raise errors.ConfigurationError(
            f"[xvp] state_dir: cannot use the directory {folder}: {error}"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise errors.ConfigurationError(
            f"[xvp] state_dir: another agent uses the directory {folder}. "
            "Set a different directory for each agent."
        ) from error
    return file
