# SPDX-License-Identifier: Apache-2.0
"""Rotate the keys that encrypt console passwords, without losing one.

At any time, every stored password can be decrypted with a key of the
repository: keys are deleted last, when no password needs them.  A rotation can
therefore be interrupted anywhere, and the next one completes it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import fernet

from console_api import errors
from console_api.db import passwords
from console_api.db.engine import Database
from console_api.db.passwords import Replacement
from console_api.keys import repository

#: Called with the number of processed passwords and of all passwords.
Progress = Callable[[int, int], None]

# Number of passwords that are re-encrypted in one transaction.
_PAGE = 500

# Maximum number of consoles that a message names.
_NAMED = 20

# Maximum time, in seconds, between the encryption of a password and its
# storage: all attempts of a write, and a margin.
SETTLED_AFTER = 600


@dataclass(frozen=True, slots=True)
class Rotation:
    """The result of a rotation; keys are identified by their numbers.

    ``kept`` is true if no key was deleted because the previous rotation was
    too recent.
    """

    primary: int
    passwords: int
    reencrypted: int
    deleted: Sequence[int]
    kept: bool


def rotate(
    database: Database,
    folder: Path,
    max_active_keys: int,
    progress: Progress,
) -> Rotation:
    """Promote the staged key and re-encrypt with it; delete old keys.

    :param folder: the key repository
    :param max_active_keys: the number of keys to keep
    :raises ConfigurationError: there are no keys, a key is invalid, other
        users can access the keys, or no key decrypts some passwords; no key
        has been deleted then
    :raises Conflict: another rotation is running
    """
    with repository.locked(folder):
        # What is wrong stops the rotation before it changes anything.
        repository.read_keys(folder)
        repository.check_modes(folder)
        primary = repository.promote(folder)
        total, reencrypted = _reencrypt(database, folder, progress)
        settled = _is_settled(folder, primary)
        return Rotation(
            primary=primary,
            passwords=total,
            reencrypted=reencrypted,
            deleted=repository.prune(folder, max_active_keys)
            if settled
            else (),
            kept=not settled
            and len(repository.numbers(folder)) > max_active_keys,
        )


def _reencrypt(
    database: Database, folder: Path, progress: Progress
) -> tuple[int, int]:
    """Re-encrypt the passwords that the primary key does not decrypt.

    :returns: the number of passwords, and of those that were re-encrypted
    """
    ring = repository.read_keys(folder)
    total = passwords.count(database)
    lost: list[int] = []
    seen = reencrypted = marker = 0
    while page := passwords.list_page(database, marker, _PAGE):
        replacements = []
        for row in page:
            try:
                new = _with_primary(ring, row.encrypted_password)
            except fernet.InvalidToken:
                lost.append(row.console_id)
                continue
            if new is not None:
                replacements.append(
                    Replacement(row.console_id, row.encrypted_password, new)
                )
        if replacements:
            passwords.replace(database, replacements)
        reencrypted += len(replacements)
        seen += len(page)
        marker = page[-1].console_id
        progress(seen, max(seen, total))
    if lost:
        raise _lost(folder, lost)
    return seen, reencrypted


def _with_primary(ring: Sequence[fernet.Fernet], encrypted: str) -> str | None:
    """Re-encrypt with the primary key; return None if that is its key."""
    primary = ring[0]
    token = encrypted.encode()
    try:
        primary.decrypt(token)
    except fernet.InvalidToken:
        password = fernet.MultiFernet(ring).decrypt(token)
        return primary.encrypt(password).decode()
    return None


def _is_settled(folder: Path, primary: int) -> bool:
    """Return whether no password with an old key can still be stored.

    An API worker may have encrypted a password before the previous rotation,
    and store it after this one has read all passwords.  Its key was primary
    until the previous rotation, and must not be deleted yet.  The previous
    rotation created the key that is primary now.
    """
    promoted_before = (folder / str(primary)).stat().st_mtime
    return time.time() - promoted_before > SETTLED_AFTER


def _lost(folder: Path, ids: Sequence[int]) -> errors.ConfigurationError:
    named = ", ".join(map(str, ids[:_NAMED]))
    if len(ids) > _NAMED:
        named += f" and {len(ids) - _NAMED} more"
    return errors.ConfigurationError(
        f"No key in {folder} decrypts the passwords of these consoles: "
        f"{named}. No key was deleted. Restore the missing key from another "
        "machine or a backup, or delete these consoles; then rotate again."
    )
