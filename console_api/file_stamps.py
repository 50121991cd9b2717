# SPDX-License-Identifier: Apache-2.0
"""Detection of changes of files."""

import os


def stamp(result: os.stat_result) -> tuple[int, ...]:
    """Return what changes when a file or its mode does, or is replaced."""
    return (
        result.st_dev,
        result.st_ino,
        result.st_size,
        result.st_mtime_ns,
        result.st_ctime_ns,
    )
