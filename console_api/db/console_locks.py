# SPDX-License-Identifier: Apache-2.0
"""Statements on locks of users, projects and hosts."""

from dataclasses import dataclass

import sqlalchemy as sa
from oslo_db import exception as db_exc

from console_api.db import clock, tables
from console_api.db.engine import Database, retried

_locks = tables.console_locks.c

_LIST = sa.select(
    _locks.scope, _locks.name, _locks.reason, _locks.created_at
).order_by(_locks.scope, _locks.name)

_GET = _LIST.where(
    _locks.scope == sa.bindparam("scope"), _locks.name == sa.bindparam("name")
)


@dataclass(frozen=True, slots=True)
class Lock:
    """Who or what must not have sessions, and why.

    ``scope`` is ``user``, ``project`` or ``host``.  ``created_at`` is in
    seconds since the epoch.
    """

    scope: str
    name: str
    reason: str
    created_at: int


def list_all(database: Database) -> list[Lock]:
    """Return all locks by scope and name."""
    return database.read(_LIST, Lock)


def get(database: Database, scope: str, name: str) -> Lock | None:
    """Return a lock, None if there is no such."""
    rows = database.read(_GET, Lock, {"scope": scope, "name": name})
    return rows[0] if rows else None


@retried
def put(database: Database, scope: str, name: str, reason: str) -> None:
    """Store a lock, or change its reason."""
    try:
        with database.transaction() as connection:
            connection.execute(
                tables.console_locks.insert().values(
                    scope=scope,
                    name=name,
                    reason=reason,
                    created_at=clock.now(),
                )
            )
    except db_exc.DBDuplicateEntry:
        with database.transaction() as connection:
            connection.execute(
                tables.console_locks.update()
                .where(_locks.scope == scope, _locks.name == name)
                .values(reason=reason)
            )


@retried
def delete(database: Database, scope: str, name: str) -> bool:
    """Delete a lock.

    :returns: whether it existed
    """
    with database.transaction() as connection:
        return bool(
            connection.execute(
                tables.console_locks.delete().where(
                    _locks.scope == scope, _locks.name == name
                )
            ).rowcount
        )
