# SPDX-License-Identifier: Apache-2.0
"""Rotate the keys that encrypt console passwords, without losing one.

At every moment each stored password can be decrypted with a key of the
repository: keys are deleted last, and only after no password needs them.  So
a rotation may end anywhere, and the next one does what is left.
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

#: Called with how many passwords have been looked at, and of how many.
Progress = Callable[[int, int], None]

# How many passwords are read, and re-encrypted in one transaction.
_PAGE = 500

# How many consoles a message names.
_NAMED = 20

# The longest that a new password may be on its way into the database after
# it was encrypted, in seconds: all tries of a write, and room to spare.
SETTLED_AFTER = 600


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation has done; keys are known by their numbers.

    ``kept`` tells that no key was deleted because the rotation before this
    one was too short a time ago.
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
    :param max_active_keys: how many keys to keep
    :raises ConfigurationError: there are no keys, one is damaged, or some
        passwords fit none of them; no key has been deleted then
    :raises Conflict: another rotation is running
    """
    with repository.locked(folder):
        # A damaged key stops the rotation before it changes anything.
        repository.read_keys(folder)
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
    """Encrypt with the primary key what it does not decrypt.

    :returns: how many passwords there are, and how many were re-encrypted
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
    """Encrypt a password with the primary key, or return None if it is."""
    primary = ring[0]
    token = encrypted.encode()
    try:
        primary.decrypt(token)
    except fernet.InvalidToken:
        password = fernet.MultiFernet(ring).decrypt(token)
        return primary.encrypt(password).decode()
    return None


def _is_settled(folder: Path, primary: int) -> bool:
    """Tell whether every password in the old keys has been seen.

    An API worker may have encrypted a password before the last rotation and
    stored it after this one has looked.  It is lost if its key is deleted,
    and its key was primary until the last rotation.  That one has written,
    as the staged key, what now is the primary one.
    """
    promoted_before = (folder / str(primary)).stat().st_mtime
    return time.time() - promoted_before > SETTLED_AFTER


def _lost(folder: Path, ids: Sequence[int]) -> errors.ConfigurationError:
    named = ", ".join(map(str, ids[:_NAMED]))
    if len(ids) > _NAMED:
        named += f" and {len(ids) - _NAMED} more"
    return errors.ConfigurationError(
        f"The passwords of these consoles fit none of the keys in {folder}: "
        f"{named}. No key was deleted. Restore the missing key from another "
        "machine or a backup, or delete these consoles; then rotate again."
    )
