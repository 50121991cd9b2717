# SPDX-License-Identifier: Apache-2.0
"""Files in a folder that belongs to the user of the service.

Root manages the keys in it, and that user could replace any file or the
folder by a link.  The folder is therefore opened once, and its files are
created, renamed and deleted relative to its descriptor; root must not write to
another file, change its owner, or change another folder.
"""

import contextlib
import errno
import os
import re
import stat
from pathlib import Path

from console_api import errors

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_OPEN = os.O_RDWR | os.O_NOFOLLOW
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY

# Does not wait for the other end of a FIFO.
_READ = os.O_RDONLY | os.O_NONBLOCK

# Errors of opening a symbolic link, a folder or a socket with these flags.
_NOT_REGULAR = (errno.ELOOP, errno.EISDIR, errno.ENXIO)

# In bytes, much more than a key.
_MAX_SIZE = 4096

# Drafts that a process has left that was killed.
_DRAFT = re.compile(r"\.[0-9].*", re.DOTALL)

# Permissions that only the owner may have; a group may read.
_EXPOSED = stat.S_IWGRP | stat.S_IRWXO


def open_folder(folder: Path) -> int:
    """Open a folder for the other functions of this module.

    :returns: a file descriptor, which the caller closes
    :raises ConfigurationError: it is a symbolic link, and the user is root
    :raises OSError: it does not exist, or cannot be opened
    """
    is_root = os.geteuid() == 0
    try:
        return os.open(
            folder, _OPEN_FOLDER | (os.O_NOFOLLOW if is_root else 0)
        )
    except NotADirectoryError:
        if is_root and folder.is_symlink():
            raise errors.ConfigurationError(
                f"The key repository {folder} is a symbolic link, which root "
                "does not follow. Set [passwords] key_repository to its "
                "target, or run the command as the user of the service."
            ) from None
        raise


def open_lock(directory: int, path: Path) -> int:
    """Open a lock file, which is created if it is missing.

    Locks of fasteners do not fit: they follow symbolic links, create missing
    folders and leave files that only root can open.

    :param directory: its folder, of ``open_folder``
    :raises ConfigurationError: it is not a regular file
    """
    with contextlib.suppress(FileExistsError):
        return _create(directory, path.name)
    try:
        descriptor = os.open(path.name, _OPEN, dir_fd=directory)
    except OSError as error:
        if error.errno in _NOT_REGULAR:
            raise _not_regular(path) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_regular(path)
    return descriptor


def write(directory: int, name: str, content: bytes) -> None:
    """Write a file, which is complete and on the disk as soon as it exists.

    :param directory: of ``open_folder``
    """
    draft = f".{name}.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(draft, dir_fd=directory)
    with os.fdopen(_create(directory, draft), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(draft, name, src_dir_fd=directory, dst_dir_fd=directory)
    os.fsync(directory)


def list_names(directory: int) -> list[str]:
    """Return the names of all files.

    :param directory: of ``open_folder``
    """
    return os.listdir(directory)


def delete_drafts(directory: int) -> None:
    """Delete what interrupted calls of ``write`` have left.

    :param directory: of ``open_folder``
    """
    for name in list_names(directory):
        if _DRAFT.fullmatch(name):
            os.unlink(name, dir_fd=directory)


def read(path: Path) -> bytes:
    """Return the content of a small regular file; links are followed.

    :raises OSError: it cannot be read, or is not such a file
    """
    # Before it is opened, which has an effect on some devices.
    _check_regular(path.stat().st_mode)
    with os.fdopen(os.open(path, _READ), "rb") as file:
        _check_regular(os.fstat(file.fileno()).st_mode)
        return file.read(_MAX_SIZE)


def exposed(folder: Path, names: list[str]) -> list[str]:
    """Return what other users can read or replace, with its mode.

    :param names: the files to check, besides the folder
    :raises OSError: a file does not exist, or cannot be accessed
    """
    modes = {
        path: stat.S_IMODE(path.stat().st_mode)
        for path in (folder, *(folder / name for name in names))
    }
    return [
        f"{path} has mode {mode:04o}"
        for path, mode in modes.items()
        if mode & _EXPOSED
    ]


def _create(directory: int, name: str) -> int:
    """Create a file that only the owner of its folder can access.

    :raises FileExistsError: there is a file or a link with this name
    """
    descriptor = os.open(name, _CREATE, 0o600, dir_fd=directory)
    if os.geteuid() == 0:
        # The service does not run as root, and must be able to read files
        # that root adds to its folder.
        owner = os.fstat(directory)
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def _check_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "Not a regular file")


def _not_regular(path: Path) -> errors.ConfigurationError:
    return errors.ConfigurationError(
        f"The lock file {path} is not a regular file. Find out who replaced "
        "it, delete it and run the command again."
    )
