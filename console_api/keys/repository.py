# SPDX-License-Identifier: Apache-2.0
"""The key repository that encrypts console passwords at rest.

A folder of Fernet keys whose names are numbers, as in Keystone: ``0`` is the
staged key, which every machine has before it is used for encryption; the
highest number is the primary key, which encrypts; the others only decrypt.
"""

import contextlib
import fcntl
import logging
import os
import pwd
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography import fernet

from console_api import errors
from console_api.keys import files

LOG = logging.getLogger(__name__)

STAGED = 0

_LOCK = ".lock"


class KeyRepository:
    """The keys of a folder, read again after a rotation."""

    def __init__(self, folder: Path) -> None:
        """Read the keys of a folder; warn if other users can access them.

        :raises ConfigurationError: there are no keys, or a key is invalid
        """
        self._folder = folder
        self._seen, self._keys = self._load()
        try:
            check_modes(folder)
        except errors.ConfigurationError as error:
            LOG.warning("%s", error)

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
        except PermissionError as error:
            raise _denied(self._folder, self._folder) from error
        except OSError as error:
            raise _missing(self._folder) from error

    def _load(self) -> tuple[int, fernet.MultiFernet]:
        stamp = self._stamp()
        return stamp, fernet.MultiFernet(list(read_keys(self._folder)))


def numbers(folder: Path) -> list[int]:
    """Return the numbers of the keys of a folder, in ascending order.

    :raises ConfigurationError: the folder is missing or unreadable
    """
    try:
        return _numbers(path.name for path in folder.iterdir())
    except PermissionError as error:
        raise _denied(folder, folder) from error
    except OSError as error:
        raise _missing(folder) from error


def check_modes(folder: Path) -> None:
    """Check that other users can neither read nor replace the keys.

    :raises ConfigurationError: they can; or the folder is missing
    """
    names = [str(number) for number in numbers(folder)]
    try:
        found = files.exposed(folder, names)
    except FileNotFoundError:
        # A rotation has renamed or deleted a key since they were listed.
        return
    if found:
        raise errors.ConfigurationError(
            "Other users can read or replace the keys that encrypt console "
            f"passwords: {', '.join(found)}. Run: chmod -R g-w,o= {folder}"
        )


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
        return fernet.Fernet(files.read(path).strip())
    except PermissionError as error:
        raise _denied(path, path.parent) from error
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
    with _opened(folder) as directory:
        descriptor = files.open_lock(directory, folder / _LOCK)
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
    with locked(folder, wait=True), _opened(folder) as directory:
        # Another process may have created them while this one waited.
        if _numbers(files.list_names(directory)):
            return False
        _write_key(directory, STAGED)
        _write_key(directory, STAGED + 1)
    return True


def promote(folder: Path) -> int:
    """Make the staged key primary and stage a new one.

    If it is interrupted, the repository may lack a staged key.  The next call
    then only stages a key.  The caller holds the lock (``locked``).

    :returns: the number of the primary key
    """
    with _opened(folder) as directory:
        found = _numbers(files.list_names(directory))
        if not found:
            raise _missing(folder)
        files.delete_drafts(directory)
        primary = found[-1]
        if STAGED in found:
            primary += 1
            os.rename(
                str(STAGED),
                str(primary),
                src_dir_fd=directory,
                dst_dir_fd=directory,
            )
        _write_key(directory, STAGED)
    return primary


def prune(folder: Path, keep: int) -> list[int]:
    """Delete the oldest secondary keys.

    The caller holds the lock (``locked``).

    :param keep: the number of keys to keep

    :returns: the numbers of the deleted keys
    """
    with _opened(folder) as directory:
        found = _numbers(files.list_names(directory))
        secondary = [number for number in found[:-1] if number != STAGED]
        excess = secondary[: max(0, len(found) - keep)]
        for number in excess:
            os.unlink(str(number), dir_fd=directory)
    return excess


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    try:
        directory = files.open_folder(folder)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _missing(folder) from error
    try:
        yield directory
    except OSError as error:
        # The operator needs more than the name within the folder.
        if isinstance(error.filename, str):
            error.filename = str(folder / error.filename)
        raise
    finally:
        os.close(directory)


def _numbers(names: Iterable[str]) -> list[int]:
    return sorted(
        int(name) for name in names if name.isascii() and name.isdigit()
    )


def _write_key(directory: int, number: int) -> None:
    files.write(directory, str(number), fernet.Fernet.generate_key())


def _missing(folder: Path) -> errors.ConfigurationError:
    return errors.ConfigurationError(
        f"The key repository {folder} is missing or empty. "
        "Run: console-api-manage keys setup"
    )


def _denied(path: Path, folder: Path) -> errors.ConfigurationError:
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    return errors.ConfigurationError(
        f"The user {user} cannot read {path}. If the service runs as this "
        f"user, run as root: chown -R {user}: {folder}"
    )
