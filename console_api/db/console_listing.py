# SPDX-License-Identifier: Apache-2.0
"""Statements on consoles of all servers, with what agents report of them."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from console_api.db import clock, console_expiry, tables
from console_api.db.engine import Database
from console_api.db.rows import columns_of
from console_api.values import ConsoleState

_consoles = tables.consoles.c
_hosts = tables.console_hosts.c
_heartbeats = tables.console_host_heartbeats.c
_servers = tables.servers.c

# As in ``console_api.consoles.placement.state``.
_IS_DOWN = sa.or_(
    _heartbeats.last_seen_at.is_(None),
    clock.now() - _heartbeats.last_seen_at
    > sa.bindparam("down_time", type_=sa.Integer),
)

_IS_NOT_APPLIED = sa.or_(
    _heartbeats.served_revision.is_(None),
    _heartbeats.served_revision < _consoles.revision,
)

# The only definition of a console's state: the first one that applies. What an
# agent has not applied yet is pending, whatever its problem was before.
_STATES: Mapping[str, sa.ColumnElement[bool]] = {
    ConsoleState.UNKNOWN: _IS_DOWN,
    ConsoleState.PENDING: _IS_NOT_APPLIED,
    ConsoleState.FAILED: _consoles.problem.is_not(None),
    ConsoleState.SERVING: sa.true(),
}
_STATE = sa.case(
    *((condition, str(state)) for state, condition in _STATES.items())
)

_FILTERS: Mapping[str, sa.ColumnElement[bool]] = {
    "project_id": _servers.project_id == sa.bindparam("project_id"),
    "server_id": _consoles.server_id == sa.bindparam("server_id"),
    "console_host": _hosts.host == sa.bindparam("console_host"),
    "console_type": _consoles.console_type == sa.bindparam("console_type"),
}


@dataclass(frozen=True, slots=True)
class ConsoleFilters:
    """Values that consoles must have to be listed; None means any."""

    project_id: str | None = None
    server_id: str | None = None
    console_host: str | None = None
    console_type: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class ListedConsole:
    """A console with its project and state.

    ``host`` is the public name of ``console_host``.  ``created_at`` and
    ``expires_at``, None if it never expires, are in seconds since the epoch.
    ``problem`` is why the agent cannot serve it, for the operator; it means
    nothing unless ``state`` is ``FAILED``.
    """

    id: int
    server_id: str
    project_id: str
    console_type: str
    instance_name: str
    console_host: str
    host: str
    port: int | None
    state: str
    created_at: int
    expires_at: int | None
    problem: str | None


def list_page(
    database: Database,
    filters: ConsoleFilters,
    *,
    down_time: int,
    marker: int,
    limit: int,
) -> list[ListedConsole]:
    """Return consoles in the order of their IDs.

    :param down_time: seconds without a heartbeat after which a console host is
        down
    :param marker: the ID after which to start
    :param limit: the maximum number of consoles
    :raises DatabaseUnavailable: the database does not answer
    """
    given = {
        name: value
        for name, value in columns_of(filters).items()
        if name in _FILTERS and value is not None
    }
    return database.read(
        _select(frozenset(given), filters.state),
        ListedConsole,
        {**given, "down_time": down_time, "marker": marker, "limit": limit},
    )


# Few statements: subsets of the filters times states.
@functools.cache
def _select(names: frozenset[str], state: str | None) -> sa.Select[Any]:
    return (
        sa.select(
            _consoles.id,
            _consoles.server_id,
            _servers.project_id,
            _consoles.console_type,
            _consoles.instance_name,
            _hosts.host,
            _hosts.public_hostname,
            sa.func.coalesce(_consoles.port, _hosts.multiplex_port),
            _STATE,
            _consoles.created_at,
            _consoles.expires_at,
            _consoles.problem,
        )
        .select_from(
            tables.consoles.join(
                tables.servers, _servers.uuid == _consoles.server_id
            )
            .join(tables.console_hosts, _hosts.id == _consoles.console_host_id)
            .outerjoin(
                tables.console_host_heartbeats,
                _heartbeats.console_host_id == _hosts.id,
            )
        )
        .where(
            _consoles.id > sa.bindparam("marker"),
            ~console_expiry.IS_EXPIRED,
            *(_FILTERS[name] for name in sorted(names)),
            *_conditions(state),
        )
        .order_by(_consoles.id)
        .limit(sa.bindparam("limit"))
    )


def _conditions(state: str | None) -> Iterator[sa.ColumnElement[bool]]:
    """Iterate over the conditions that a console in a state meets."""
    if state is None:
        return
    for other, condition in _STATES.items():
        if other == state:
            break
        yield ~condition
    yield _STATES[state]
    if state == ConsoleState.FAILED:
        # Implied, and leads to the consoles of few hosts.
        yield _heartbeats.failed_count > 0
