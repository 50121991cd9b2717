# SPDX-License-Identifier: Apache-2.0
"""The key repository that encrypts console passwords at rest.

A folder of Fernet keys with numbers for names, as Keystone keeps them: ``0``
is staged (known everywhere before anything is encrypted with it), the
highest number is primary (encrypts), those between only decrypt.
"""

import os
from pathlib import Path

from cryptography import fernet

from console_api import errors

STAGED = 0


class KeyRepository:
    """The keys of a folder; notices when a rotation has changed them."""

    def __init__(self, folder: Path) -> None:
        """Read the keys of a folder.

        :raises ConfigurationError: there are none, or they are no keys
        """
        self._folder = folder
        self._seen, self._keys = self._load()

    def encrypt(self, password: str) -> str:
        """Encrypt a password with the primary key."""
        return self._current().encrypt(password.encode()).decode()

    def decrypt(self, encrypted: str) -> str:
        """Decrypt a password with whichever key it was encrypted with.

        :raises ConfigurationError: none of the keys fits
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
        # Every rotation renames files, which the folder's time shows.
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
        return stamp, fernet.MultiFernet(
            [
                read_key(self._folder / str(number))
                for number in encryption_order(self._folder)
            ]
        )


def numbers(folder: Path) -> list[int]:
    """Return the numbers of the keys of a folder, in ascending order."""
    try:
        return sorted(
            int(path.name) for path in folder.iterdir() if path.name.isdigit()
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


def read_key(path: Path) -> fernet.Fernet:
    """Read one key.

    :raises ConfigurationError: the file cannot be read or is no key
    """
    try:
        return fernet.Fernet(path.read_bytes().strip())
    except (OSError, ValueError) as error:
        # The text of the error would not hold the key, but its cause might.
        raise errors.ConfigurationError(
            f"The key {path} cannot be read, or is not a Fernet key. Restore "
            "it from another machine or a backup."
        ) from error


def setup(folder: Path) -> bool:
    """Make a repository with a primary and a staged key, if there is none.

    :returns: whether it had to be made
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if numbers(folder):
        return False
    _write_key(folder, STAGED)
    _write_key(folder, STAGED + 1)
    return True


def promote(folder: Path) -> int:
    """Make the staged key primary and stage a new one.

    Interrupted in the middle, the repository has no staged key; then there
    is one again after the next call, which promotes nothing.

    :returns: the number of the primary key
    """
    found = encryption_order(folder)
    primary = found[0]
    if STAGED in found:
        primary += 1
        (folder / str(STAGED)).rename(folder / str(primary))
    _write_key(folder, STAGED)
    return primary


def prune(folder: Path, keep: int) -> list[int]:
    """Delete the oldest keys beyond a number, never staged or primary.

    :returns: the numbers of the deleted keys
    """
    found = numbers(folder)
    secondary = [number for number in found[:-1] if number != STAGED]
    excess = secondary[: max(0, len(found) - keep)]
    for number in excess:
        (folder / str(number)).unlink()
    return excess


def _write_key(folder: Path, number: int) -> None:
    # Written aside and renamed, so that nobody reads half a key.
    draft = folder / f".{number}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(fernet.Fernet.generate_key())
        file.flush()
        os.fsync(file.fileno())
    draft.rename(folder / str(number))


def _missing(folder: Path) -> errors.ConfigurationError:
    return errors.ConfigurationError(
        f"The key repository {folder} is not there, empty, or cannot be read. "
        "Run: console-api-manage keys setup"
    )
