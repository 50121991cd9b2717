# SPDX-License-Identifier: Apache-2.0
"""Statements that re-encrypt the passwords of consoles."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from console_api.db import tables
from console_api.db.engine import Database, retried

_consoles = tables.consoles.c

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


def count(database: Database) -> int:
    """Return how many passwords there are."""
    rows = database.read(sa.select(sa.func.count(_consoles.id)))
    return int(rows[0][0])


def list_page(
    database: Database, marker: int, limit: int
) -> Sequence[sa.Row[Any]]:
    """Return ids and encrypted passwords after an id, in order."""
    return database.read(_PAGE, {"marker": marker, "limit": limit})


@retried
def replace(
    database: Database, replacements: Sequence[tuple[int, str, str]]
) -> None:
    """Put new encrypted passwords in the place of the old ones.

    One that was changed since it was read is left as it is.

    :param replacements: console id, old value and new value of each
    """
    with database.transaction() as connection:
        connection.execute(
            _REPLACE,
            [
                {"console_id": console_id, "old": old, "new": new}
                for console_id, old, new in replacements
            ],
        )
