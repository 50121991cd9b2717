# SPDX-License-Identifier: Apache-2.0
"""Statements that re-encrypt the passwords of consoles."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from console_api.db import tables
from console_api.db.engine import Database, retried

_consoles = tables.consoles.c

_COUNT = sa.select(sa.func.count(_consoles.id))

_PAGE = (
    sa.select(_consoles.id, _consoles.encrypted_password)
    .where(_consoles.id > sa.bindparam("marker"))
    .order_by(_consoles.id)
    .limit(sa.bindparam("limit"))
)

_REPLACE = (
    tables.consoles.update()
    .where(
        _consoles.id == sa.bindparam("console_id"),
        _consoles.encrypted_password == sa.bindparam("old"),
    )
    .values(encrypted_password=sa.bindparam("new"))
)


@dataclass(frozen=True, slots=True)
class PasswordRow:
    """The encrypted password of a console."""

    console_id: int
    encrypted_password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Replacement:
    """A re-encrypted password, with the value that it replaces."""

    console_id: int
    old: str = field(repr=False)
    new: str = field(repr=False)


def count(database: Database) -> int:
    """Return the number of passwords."""
    [number] = database.read(_COUNT, int)
    return number


def list_page(
    database: Database, marker: int, limit: int
) -> Sequence[PasswordRow]:
    """Return encrypted passwords in the order of their consoles' ids.

    :param marker: the id after which to start
    :param limit: the maximum number of passwords
    """
    return database.read(
        _PAGE, PasswordRow, {"marker": marker, "limit": limit}
    )


@retried
def replace(database: Database, replacements: Sequence[Replacement]) -> None:
    """Store re-encrypted passwords.

    A password that has changed since it was read is left as it is.
    """
    with database.transaction() as connection:
        connection.execute(
            _REPLACE,
            [
                {
                    "console_id": replacement.console_id,
                    "old": replacement.old,
                    "new": replacement.new,
                }
                for replacement in replacements
            ],
        )
