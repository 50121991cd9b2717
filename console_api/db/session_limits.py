# SPDX-License-Identifier: Apache-2.0
"""What a new session has to respect: locks, and limits of open sessions."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console_api.db import tables
from console_api.db.session_states import STATES
from console_api.values import SessionState

_sessions = tables.console_sessions.c
_gateways = tables.console_gateways.c
_locks = tables.console_locks.c


def _locks_out(
    user_id: sa.ColumnElement[str],
    project_id: sa.ColumnElement[str],
    *hosts: sa.ColumnElement[str],
) -> sa.ColumnElement[bool]:
    """Return whether a lock applies to a session of these."""
    return sa.or_(
        sa.and_(_locks.scope == "user", _locks.name == user_id),
        sa.and_(_locks.scope == "project", _locks.name == project_id),
        sa.and_(_locks.scope == "host", _locks.name.in_(hosts)),
    )


#: Whether an administrator has locked the user, project or host of a session.
IS_LOCKED = sa.exists().where(
    _locks_out(
        _sessions.user_id,
        _sessions.project_id,
        _sessions.compute_host,
        _sessions.gateway,
    )
)

# The columns that sessions are counted by.
_COLUMNS = {
    "token": _sessions.token_hash,
    "user": _sessions.user_id,
    "server": _sessions.server_id,
    "project": _sessions.project_id,
    "gateway": _sessions.gateway_id,
}

#: Reasons of ``Refused`` other than limits, which are ``<name>_limit``.
LOCKED = "locked"
UNKNOWN_GATEWAY = "unknown_gateway"


class Refused(Exception):
    """A session must not be opened now; the argument is the reason."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Maximum numbers of open sessions by ``_COLUMNS``; 0 means no limit.

    ``resume_timeout`` is how long, in seconds, a session that its page has
    not connected to counts as open.
    """

    maxima: Mapping[str, int]
    resume_timeout: int

    @property
    def counted(self) -> Sequence[str]:
        """The names of those that are limited."""
        return [name for name, maximum in self.maxima.items() if maximum]

    def scopes(self, project_id: str, user_id: str | None) -> Sequence[str]:
        """Return what to lock before counting, in the order to do so.

        The limit of a gateway needs no lock: it may be exceeded by sessions
        that are opened at the same moment.
        """
        counted = set(self.counted)
        names = []
        if counted & {"token", "server", "project"}:
            names.append(f"project:{project_id}")
        if "user" in counted and user_id is not None:
            names.append(f"user:{user_id}")
        return names


#: Locks are respected even without limits.
NONE = Limits({}, 0)


def check(
    connection: Connection, limits: Limits, values: Mapping[str, object]
) -> None:
    """Check whether a session may be opened now.

    :param values: the columns of its row, which may be stored already
    :raises Refused: it may not
    """
    counted = limits.counted
    found: Sequence[int] = connection.execute(
        _statement(*counted),
        {
            "id": values["id"],
            "resume_timeout": limits.resume_timeout,
            "compute_host": values["compute_host"],
            "gateway": values["gateway"],
            **{
                column.name: values[column.name]
                for column in _COLUMNS.values()
            },
        },
    ).one()
    is_locked, is_known, *counts = found
    if is_locked:
        raise Refused(LOCKED)
    if not is_known:
        raise Refused(UNKNOWN_GATEWAY)
    for name, count in zip(counted, counts, strict=True):
        if count >= limits.maxima[name]:
            raise Refused(f"{name}_limit")


@functools.cache
def _statement(*counted: str) -> sa.Select[*tuple[Any, ...]]:
    """Return the statement that counts; there are few combinations."""
    columns = [_is_locked(), _is_known(), *map(_count, counted)]
    return sa.select(*columns)


def _is_locked() -> sa.ColumnElement[int]:
    names = ("user_id", "project_id", "compute_host", "gateway")
    given = [sa.bindparam(name, type_=sa.String) for name in names]
    return (
        sa.select(sa.func.count()).where(_locks_out(*given)).scalar_subquery()
    )


def _is_known() -> sa.ColumnElement[int]:
    return (
        sa.select(sa.func.count())
        .where(_gateways.id == sa.bindparam("gateway_id"))
        .scalar_subquery()
    )


def _count(name: str) -> sa.ColumnElement[int]:
    """Count the others that are open or may still be connected to."""
    column = _COLUMNS[name]
    return (
        sa.select(sa.func.count())
        .select_from(
            tables.console_sessions.outerjoin(
                tables.console_gateways, _gateways.id == _sessions.gateway_id
            )
        )
        .where(
            column == sa.bindparam(column.name),
            _sessions.id != sa.bindparam("id"),
            _sessions.cut_reason.is_(None),
            # Once more, because the index has it.
            _sessions.closed_at.is_(None),
            sa.or_(STATES[SessionState.OPEN], STATES[SessionState.PENDING]),
        )
        .scalar_subquery()
    )
