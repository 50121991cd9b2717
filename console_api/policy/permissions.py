# SPDX-License-Identifier: Apache-2.0
"""Findings about who may change a policy file."""

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from console_api.policy.findings import Finding, Level

_CONSEQUENCE = "They can give themselves access to every console."


def examine(
    path: Path, status: os.stat_result, main: os.stat_result | None
) -> Iterator[Finding]:
    """Find the users who may write to a file or directory, or replace it.

    :param status: that of the file or directory
    :param main: that of console_api.conf, whose owner may own it as well, None
        for a file that is not in use
    """
    yield from _examine_mode(path, status)
    if main is not None:
        if status.st_uid not in {0, os.geteuid(), main.st_uid}:
            yield Finding(
                path=path,
                level=Level.SECURITY,
                message=f"It is owned by {_user(status.st_uid)}, who is "
                "neither root nor the owner of console_api.conf.",
                consequence="This user can give access to every console.",
                remedy=f"Run chown root {path}.",
            )
        if _is_private(status) and not _is_private(main):
            yield Finding(
                path=path,
                level=Level.WARNING,
                message="Only root may read it (mode "
                f"{stat.S_IMODE(status.st_mode):04o}), although others may "
                "read console_api.conf.",
                consequence="A service that does not run as root does not "
                "start.",
                remedy="Let the user of the service read it, such as with "
                "chgrp and chmod 640.",
            )
    for folder in dict.fromkeys((path.parent, path.resolve().parent)):
        try:
            yield from _examine_mode(folder, folder.stat())
        except OSError:
            # Who cannot look at the folder need not replace what is in it.
            continue


def _examine_mode(path: Path, status: os.stat_result) -> Iterator[Finding]:
    mode = stat.S_IMODE(status.st_mode)
    is_folder = stat.S_ISDIR(status.st_mode)
    if is_folder and mode & stat.S_ISVTX:
        # Only the owners of files can replace them.
        return
    access = "replace the files in it" if is_folder else "write to it"
    if mode & stat.S_IWOTH:
        yield Finding(
            path=path,
            level=Level.ERROR,
            message=f"Every user of this machine may {access} (mode "
            f"{mode:04o}).",
            consequence=_CONSEQUENCE,
            remedy=f"Run chmod o-w {path}.",
        )
    elif mode & stat.S_IWGRP and status.st_gid not in {
        0,
        _primary_group(status.st_uid),
    }:
        yield Finding(
            path=path,
            level=Level.SECURITY,
            message=f"Members of the group {_group(status.st_gid)} may "
            f"{access} (mode {mode:04o}).",
            consequence=_CONSEQUENCE,
            remedy=f"Run chmod g-w {path}.",
        )


def _is_private(status: os.stat_result) -> bool:
    """Return whether only root may read a file."""
    return status.st_uid == 0 and not status.st_mode & (
        stat.S_IRGRP | stat.S_IROTH
    )


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _primary_group(user: int) -> int:
    try:
        return pwd.getpwuid(user).pw_gid
    except KeyError:
        return user
