# SPDX-License-Identifier: Apache-2.0
"""Statements on heartbeats of gateways: what they report, and what to cut."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from oslo_db import exception as db_exc
from sqlalchemy.engine import Connection

from console_api import session_reasons
from console_api.db import clock, session_limits, session_states, tables
from console_api.db.engine import Database, retried
from console_api.db.rows import in_batches

_gateways = tables.console_gateways.c
_sessions = tables.console_sessions.c

# Seconds after which a session that a complete report does not contain has
# ended: before, it may be about to be connected.
_REPORT_DELAY = 60

_LOCK = (
    tables.console_gateways.update()
    .where(_gateways.id == sa.bindparam("gateway_id"))
    .values(name=sa.bindparam("gateway_name", type_=sa.String))
)

_SEE = (
    tables.console_gateways.update()
    .where(_gateways.id == sa.bindparam("gateway_id"))
    .values(
        name=sa.bindparam("gateway_name", type_=sa.String),
        heartbeat_interval=sa.bindparam("interval", type_=sa.Integer),
        last_seen_at=clock.now(),
    )
)

_IS_ALIVE = sa.select(sa.not_(session_states.IS_LOST)).where(
    _gateways.id == sa.bindparam("gateway_id")
)

_TRAFFIC = (
    tables.console_sessions.update()
    .where(
        _sessions.id == sa.bindparam("session_id"),
        _sessions.gateway_id == sa.bindparam("owner"),
        _sessions.closed_at.is_(None),
    )
    .values(
        bytes_in=sa.bindparam("received", type_=sa.BigInteger),
        bytes_out=sa.bindparam("sent", type_=sa.BigInteger),
        last_activity_at=clock.now()
        - sa.bindparam("idle", type_=sa.BigInteger),
    )
)

_OPEN = sa.select(_sessions.id).where(
    _sessions.gateway_id == sa.bindparam("gateway_id"),
    session_states.IS_CONNECTED,
)

_CUT = _OPEN.where(
    sa.or_(_sessions.cut_reason.is_not(None), session_limits.IS_LOCKED)
).add_columns(sa.func.coalesce(_sessions.cut_reason, session_reasons.LOCKED))

_OLD = _OPEN.where(_sessions.connected_at < clock.now() - _REPORT_DELAY)

_CLOSE = (
    tables.console_sessions.update()
    .where(
        _sessions.id == sa.bindparam("session_id"),
        _sessions.gateway_id == sa.bindparam("owner"),
        _sessions.closed_at.is_(None),
    )
    .values(
        closed_at=clock.now(),
        close_reason=sa.bindparam("reason", type_=sa.String),
        bytes_in=sa.bindparam("received", type_=sa.BigInteger),
        bytes_out=sa.bindparam("sent", type_=sa.BigInteger),
        secret_hash=sa.case(
            (
                sa.bindparam("reason", type_=sa.String).in_(
                    [sa.literal(reason) for reason in session_reasons.FINAL]
                ),
                None,
            ),
            else_=_sessions.secret_hash,
        ),
    )
)


class _UnknownGateway(Exception):
    """The gateway is not stored yet, or was purged."""


class Gateway(NamedTuple):
    """A worker of a gateway; ``interval`` is in seconds."""

    id: str
    name: str
    interval: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes from and to a viewer, and seconds since the last of them."""

    session_id: str
    bytes_in: int
    bytes_out: int
    idle_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Closed:
    """A session that has ended, and why: a label of the gateway."""

    traffic: Traffic
    reason: str


class Cut(NamedTuple):
    """A session that its gateway has to close, and why."""

    session_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Instructions:
    """The response to a heartbeat.

    ``report_all`` asks for all sessions with the next one, because those of
    this gateway were taken for lost.
    """

    report_all: bool
    cut: Sequence[Cut]


def beat(
    database: Database,
    gateway: Gateway,
    reported: Sequence[Traffic],
    *,
    is_complete: bool,
    bounds: tuple[str, str],
) -> Instructions:
    """Record a heartbeat.

    :param reported: the sessions whose traffic changed
    :param is_complete: whether they are all sessions of the gateway; others
        have ended
    :param bounds: the lowest and the highest ID of a complete report, which
        may be sent in parts
    """
    complete = bounds if is_complete else None
    try:
        return _beat(database, gateway, reported, complete)
    except _UnknownGateway:
        _register(database, gateway)
        found = _beat(database, gateway, reported, complete)
        return Instructions(not is_complete, found.cut)


@retried
def _register(database: Database, gateway: Gateway) -> None:
    try:
        with database.transaction() as connection:
            connection.execute(
                tables.console_gateways.insert().values(
                    id=gateway.id,
                    name=gateway.name,
                    heartbeat_interval=gateway.interval,
                    last_seen_at=clock.now(),
                )
            )
    except db_exc.DBDuplicateEntry:
        # By the same heartbeat, which was sent again.
        return


@retried
def _beat(
    database: Database,
    gateway: Gateway,
    reported: Sequence[Traffic],
    complete: tuple[str, str] | None,
) -> Instructions:
    with database.transaction() as connection:
        was_alive = _see(connection, gateway)
        for batch in in_batches(reported):
            connection.execute(
                _TRAFFIC, [_traffic(gateway, each) for each in batch]
            )
        parameters = {"gateway_id": gateway.id}
        cut = [Cut(*row) for row in connection.execute(_CUT, parameters)]
        ids = {each.session_id for each in reported}
        if complete is not None:
            _close_missing(connection, gateway, ids, complete)
        cut += _not_open(connection, gateway, ids - {each[0] for each in cut})
    return Instructions(not was_alive and complete is None, cut)


@retried
def close(
    database: Database, gateway_id: str, sessions: Sequence[Closed]
) -> None:
    """Record that sessions of a gateway have ended; others are ignored."""
    with database.transaction() as connection:
        for batch in in_batches(sessions):
            connection.execute(
                _CLOSE, [_closed(gateway_id, each) for each in batch]
            )


def _see(connection: Connection, gateway: Gateway) -> bool:
    """Record that a gateway is alive; return whether it was before.

    :raises _UnknownGateway: it is not stored
    """
    values = {
        "gateway_id": gateway.id,
        "gateway_name": gateway.name,
        "interval": gateway.interval,
    }
    # The lock comes first: see Database.transaction.
    if not connection.execute(_LOCK, values).rowcount:
        raise _UnknownGateway
    was_alive = bool(connection.scalar(_IS_ALIVE, values))
    connection.execute(_SEE, values)
    return was_alive


def _traffic(gateway: Gateway, each: Traffic) -> dict[str, object]:
    return {
        "session_id": each.session_id,
        "owner": gateway.id,
        "received": each.bytes_in,
        "sent": each.bytes_out,
        "idle": each.idle_seconds,
    }


def _closed(gateway_id: str, each: Closed) -> dict[str, object]:
    return {
        "session_id": each.traffic.session_id,
        "owner": gateway_id,
        "received": each.traffic.bytes_in,
        "sent": each.traffic.bytes_out,
        "reason": each.reason,
    }


def _close_missing(
    connection: Connection,
    gateway: Gateway,
    ids: Collection[str],
    bounds: tuple[str, str],
) -> None:
    """Close the sessions that a complete report does not contain."""
    first, last = bounds
    found = connection.scalars(_OLD, {"gateway_id": gateway.id})
    missing = [id_ for id_ in found if first <= id_ <= last and id_ not in ids]
    for batch in in_batches(missing):
        connection.execute(
            tables.console_sessions.update()
            .where(_sessions.id.in_(batch))
            .values(
                closed_at=clock.now(),
                close_reason=session_reasons.GATEWAY_LOST,
            )
        )


def _not_open(
    connection: Connection, gateway: Gateway, ids: Collection[str]
) -> list[Cut]:
    """Return those of the reported sessions that are not open any more."""
    if not ids:
        return []
    found = set(connection.scalars(_OPEN, {"gateway_id": gateway.id}))
    return [
        Cut(id_, session_reasons.REVOKED) for id_ in ids if id_ not in found
    ]
