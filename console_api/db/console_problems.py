# SPDX-License-Identifier: Apache-2.0
"""Statements on why agents cannot serve consoles."""

from collections.abc import Mapping

import sqlalchemy as sa

from console_api import values
from console_api.db import tables
from console_api.db.engine import Database, retried
from console_api.db.rows import in_batches

_consoles = tables.consoles.c

_CLEAR_ALL = (
    tables.consoles.update()
    .where(
        _consoles.console_host_id == sa.bindparam("host_id"),
        _consoles.problem.is_not(None),
    )
    .values(problem=None)
)


@retried
def replace(
    database: Database, host_id: int, problems: Mapping[int, str]
) -> None:
    """Store the problems of all consoles of a console host.

    :param problems: reasons by console ID; the others have none
    :raises DatabaseUnavailable: the database does not answer
    """
    with database.transaction() as connection:
        connection.execute(_CLEAR_ALL, {"host_id": host_id})
        _write(connection, host_id, problems)


@retried
def update(
    database: Database, host_id: int, problems: Mapping[int, str | None]
) -> None:
    """Store the problems of some consoles of a console host.

    Consoles that it no longer has are ignored.

    :param problems: reasons by console ID, None if a problem is solved
    :raises DatabaseUnavailable: the database does not answer
    """
    with database.transaction() as connection:
        _write(connection, host_id, problems)


def _write(
    connection: sa.Connection, host_id: int, problems: Mapping[int, str | None]
) -> None:
    by_reason: dict[str | None, list[int]] = {}
    for console_id, reason in sorted(problems.items()):
        by_reason.setdefault(reason, []).append(console_id)
    for reason, console_ids in by_reason.items():
        for batch in in_batches(console_ids):
            connection.execute(
                tables.consoles.update()
                .where(
                    _consoles.id.in_(batch),
                    _consoles.console_host_id == host_id,
                )
                .values(problem=reason and reason[: values.MAX_REASON_LENGTH])
            )
