# SPDX-License-Identifier: Apache-2.0
"""The key repository that encrypts console passwords at rest.

A folder of Fernet keys whose names are numbers, as in Keystone: ``0`` is the
staged key, which every machine has before it is used for encryption; the
highest number is the primary key, which encrypts; the others only decrypt.
"""

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from cryptography import fernet

from console_api import errors

STAGED = 0

_LOCK = ".lock"

# The service's user owns the folder and could put a link to another file in
# it; root must not write to that file or change its owner.
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_OPEN = os.O_RDWR | os.O_NOFOLLOW

# Errors of opening a symbolic link, a folder or a socket with these flags.
_NOT_REGULAR = (errno.ELOOP, errno.EISDIR, errno.ENXIO)


class KeyRepository:
    """The keys of a folder, read again after a rotation."""

    def __init__(self, folder: Path) -> None:
        """Read the keys of a folder.

        :raises ConfigurationError: there are no keys, or a key is invalid
        """
        self._folder = folder
        self._seen, self._keys = self._load()

    def encrypt(self, password: str) -> str:
        """Encrypt a password with the primary key."""
        return self._current().encrypt(password.encode()).decode()

    def decrypt(self, encrypted: str) -> str:
        """Decrypt a password.

        :raises ConfigurationError: no key decrypts it
        """
        try:
            return self._current().decrypt(encrypted.encode()).decode()
        except fernet.InvalidToken as error:
            raise errors.ConfigurationError(
                f"A console password was encrypted with a key that is not in "
                f"{self._folder}. Copy the key repository of the machine that "
                "rotated the keys."
            ) from error

    def _current(self) -> fernet.MultiFernet:
        # A rotation renames files and so changes the folder's time stamp.
        if self._stamp() != self._seen:
            self._seen, self._keys = self._load()
        return self._keys

    def _stamp(self) -> int:
        try:
            return self._folder.stat().st_mtime_ns
        except OSError as error:
            raise _missing(self._folder) from error

    def _load(self) -> tuple[int, fernet.MultiFernet]:
        stamp = self._stamp()
        return stamp, fernet.MultiFernet(list(read_keys(self._folder)))


def numbers(folder: Path) -> list[int]:
    """Return the numbers of the keys of a folder, in ascending order."""
    try:
        return sorted(
            int(path.name)
            for path in folder.iterdir()
            if path.name.isascii() and path.name.isdigit()
        )
    except OSError as error:
        raise _missing(folder) from error


def encryption_order(folder: Path) -> list[int]:
    """Return the numbers of the keys, the primary one first.

    :raises ConfigurationError: the folder has no keys
    """
    found = numbers(folder)
    if not found:
        raise _missing(folder)
    return found[::-1]


def read_keys(folder: Path) -> list[fernet.Fernet]:
    """Return the keys of a folder, the primary one first.

    :raises ConfigurationError: there are no keys, or a key is invalid
    """
    order = encryption_order(folder)
    while True:
        try:
            return [read_key(folder / str(number)) for number in order]
        except errors.ConfigurationError:
            # A rotation may have renamed or deleted a key since the folder
            # was listed. If the list is unchanged, the key is invalid.
            listed, order = order, encryption_order(folder)
            if order == listed:
                raise


def read_key(path: Path) -> fernet.Fernet:
    """Read one key.

    :raises ConfigurationError: the file cannot be read or is not a key
    """
    try:
        return fernet.Fernet(path.read_bytes().strip())
    except (OSError, ValueError) as error:
        # The message does not contain the key, but that of its cause might.
        raise errors.ConfigurationError(
            f"The key {path} cannot be read, or is not a Fernet key. Restore "
            "it from another machine or a backup."
        ) from error


@contextlib.contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Lock the keys of a folder against changes by other processes.

    Two concurrent rotations could overwrite a key, and everything that was
    encrypted with it would be lost.  The lock is released when the process
    ends, also if it is killed.

    :param wait: whether to wait for the lock
    :raises ConfigurationError: the folder does not exist, or its lock file
        is not a regular file
    :raises Conflict: another process has the lock, and ``wait`` is false
    """
    try:
        descriptor = _open_lock(folder / _LOCK)
    except FileNotFoundError as error:
        raise _missing(folder) from error
    try:
        try:
            fcntl.flock(
                descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB)
            )
        except BlockingIOError as error:
            raise errors.Conflict(
                f"The keys in {folder} are being rotated. Wait until the "
                "rotation is complete."
            ) from error
        yield
    finally:
        os.close(descriptor)


def setup(folder: Path) -> bool:
    """Create a primary and a staged key, unless there are keys.

    :returns: whether the keys were created
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if numbers(folder):
        return False
    with locked(folder, wait=True):
        # Another process may have created them while this one waited.
        if numbers(folder):
            return False
        _write_key(folder, STAGED)
        _write_key(folder, STAGED + 1)
    return True


def promote(folder: Path) -> int:
    """Make the staged key primary and stage a new one.

    If it is interrupted, the repository may lack a staged key.  The next call
    then only stages a key.  The caller holds the lock (``locked``).

    :returns: the number of the primary key
    """
    found = encryption_order(folder)
    for draft in folder.glob(".[0-9]*"):
        # Left by a process that was killed.
        draft.unlink()
    primary = found[0]
    if STAGED in found:
        primary += 1
        (folder / str(STAGED)).rename(folder / str(primary))
    _write_key(folder, STAGED)
    return primary


def prune(folder: Path, keep: int) -> list[int]:
    """Delete the oldest secondary keys.

    The caller holds the lock (``locked``).

    :param keep: the number of keys to keep

    :returns: the numbers of the deleted keys
    """
    found = numbers(folder)
    secondary = [number for number in found[:-1] if number != STAGED]
    excess = secondary[: max(0, len(found) - keep)]
    for number in excess:
        (folder / str(number)).unlink()
    return excess


def _open_lock(path: Path) -> int:
    """Open a lock file, which is created if it is missing.

    Locks of fasteners do not fit: they follow symbolic links, create missing
    folders and leave files that only root can open.
    """
    with contextlib.suppress(FileExistsError):
        return _create(path)
    try:
        descriptor = os.open(path, _OPEN)
    except OSError as error:
        if error.errno in _NOT_REGULAR:
            raise _not_regular(path) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_regular(path)
    return descriptor


def _write_key(folder: Path, number: int) -> None:
    # Renamed when complete, so that no process reads a part of a key, and
    # flushed to disk before anything is encrypted with it.
    draft = folder / f".{number}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    with os.fdopen(_create(draft), "wb") as file:
        file.write(fernet.Fernet.generate_key())
        file.flush()
        os.fsync(file.fileno())
    draft.rename(folder / str(number))
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create(path: Path) -> int:
    """Create a file that only the owner of its folder can access.

    :raises FileExistsError: there is a file or a link with this name
    """
    descriptor = os.open(path, _CREATE, 0o600)
    if os.geteuid() == 0:
        # The service does not run as root, and must be able to read files
        # that root adds to its folder.
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def _not_regular(path: Path) -> errors.ConfigurationError:
    return errors.ConfigurationError(
        f"The lock file {path} is not a regular file. Find out who replaced "
        "it, delete it and run the command again."
    )


def _missing(folder: Path) -> errors.ConfigurationError:
    return errors.ConfigurationError(
        f"The key repository {folder} is missing, empty or unreadable. "
        "Run: console-api-manage keys setup"
    )
