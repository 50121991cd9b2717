# SPDX-License-Identifier: Apache-2.0
"""Files that only the user can read."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def private_file(content: str, suffix: str = "") -> Iterator[Path]:
    """Write a private file that exists until the block ends, or less long.

    :param suffix: the end of its name
    """
    # Of the user, and in memory, where the system has such a folder.
    folder = os.environ.get("XDG_RUNTIME_DIR")
    if not folder or not Path(folder).is_dir():
        folder = None
    # mkstemp creates it with mode 0600.
    descriptor, name = tempfile.mkstemp(suffix, "console-", folder)
    path = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
        yield path
    finally:
        # The viewer may have deleted it.
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def create_private(path: Path, content: str) -> None:
    """Write a new file that only the user can read.

    :raises FileExistsError: it exists
    :raises OSError: it cannot be written
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(path, flags, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
