# SPDX-License-Identifier: Apache-2.0
"""Which console host a console is placed on, decided without side effects."""

import enum
import fnmatch
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from console_api.db.console_hosts import ConsoleHostRow
from console_api.db.consoles import PlacedConsole
from console_api.directory.base import Server
from console_api.values import ConsoleHostState


class _Rank(enum.IntEnum):
    """How well a console host suits a server, the best first."""

    UP = enum.auto()
    FAILING = enum.auto()
    DOWN = enum.auto()
    #: It does not serve the compute host.
    UNSUITABLE = enum.auto()


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do so that a server has a console that can be used.

    The first of ``candidates`` with room gets the console: ``console`` is
    moved there, or a new one is created if that is None.  If none of them
    has room, ``refusal`` is the reason for the user.  Without candidates and
    refusal, there is nothing to do.
    """

    candidates: Sequence[ConsoleHostRow] = ()
    console: PlacedConsole | None = None
    refusal: str | None = None


def plan(
    server: Server,
    placed: Sequence[PlacedConsole],
    hosts: Sequence[ConsoleHostRow],
    console_types: Sequence[str],
    *,
    down_time: int,
) -> Plan:
    """Plan the console of a server.

    The server gets the first console type that a console host which is up
    offers for its compute host.  Hosts that are failing are the last resort:
    their trouble may not affect all consoles.  A console is kept on a host
    that serves the compute host, unless it can be moved to a better one.

    :param placed: the consoles of the server
    :param hosts: all console hosts
    :param console_types: the preferred one first
    :param down_time: see ``state``
    """
    ranks = {
        host.id: _rank(host, server.compute_host, down_time) for host in hosts
    }
    by_type = {console.console_type: console for console in placed}
    for accepted, console_type in itertools.product(
        (_Rank.UP, _Rank.FAILING), console_types
    ):
        console = by_type.get(console_type)
        if console is not None and _rank_of(console, ranks) <= accepted:
            return Plan()
        found = _candidates(hosts, console_type, ranks)
        if found and ranks[found[0].id] <= accepted:
            # Otherwise, one of another type that has to be moved as well.
            console = console or _first_misplaced(placed, ranks, accepted)
            return _place(server, console, found, ranks)
    if any(
        _rank_of(by_type[console_type], ranks) < _Rank.UNSUITABLE
        for console_type in by_type.keys() & set(console_types)
    ):
        # It is kept on a host that is down, as there is no better one.
        return Plan()
    return Plan(refusal=_no_host(server, hosts, console_types, ranks))


def _first_misplaced(
    placed: Iterable[PlacedConsole],
    ranks: Mapping[int, _Rank],
    accepted: _Rank,
) -> PlacedConsole | None:
    misplaced = (
        console for console in placed if _rank_of(console, ranks) > accepted
    )
    return next(misplaced, None)


def _place(
    server: Server,
    console: PlacedConsole | None,
    found: Sequence[ConsoleHostRow],
    ranks: Mapping[int, _Rank],
) -> Plan:
    rank = _Rank.UNSUITABLE if console is None else _rank_of(console, ranks)
    if rank < _Rank.UNSUITABLE:
        # If no better host has room, it stays where it is.
        return Plan([host for host in found if ranks[host.id] < rank], console)
    return Plan(
        found,
        console,
        f"No console host for server {server.uuid} has a free port. Retry the "
        "request later, or ask the operator to add ports.",
    )


def _rank(
    host: ConsoleHostRow, compute_host: str | None, down_time: int
) -> _Rank:
    if not serves(host.compute_hosts, compute_host):
        return _Rank.UNSUITABLE
    return _Rank[state(host, down_time).name]


def _rank_of(console: PlacedConsole, ranks: Mapping[int, _Rank]) -> _Rank:
    # Its console host may just have been deleted.
    return ranks.get(console.console_host_id, _Rank.UNSUITABLE)


def serves(patterns: Iterable[str], compute_host: str | None) -> bool:
    """Return whether a compute host matches one of some shell patterns.

    :param compute_host: None for a server that is not scheduled, which
        matches no pattern
    """
    return compute_host is not None and any(
        fnmatch.fnmatchcase(compute_host, pattern) for pattern in patterns
    )


def state(host: ConsoleHostRow, down_time: int) -> ConsoleHostState:
    """Return the state of a console host, as its agent reports it.

    Only the clock of the database server matters.

    :param down_time: seconds without a heartbeat after which it is down
    """
    if (
        host.last_seen_at is None
        or host.read_at - host.last_seen_at > down_time
    ):
        return ConsoleHostState.DOWN
    if host.trouble is not None or (
        host.failed_count and not host.served_count
    ):
        return ConsoleHostState.FAILING
    return ConsoleHostState.UP


def _candidates(
    hosts: Iterable[ConsoleHostRow],
    console_type: str,
    ranks: Mapping[int, _Rank],
) -> list[ConsoleHostRow]:
    """Return the console hosts to try, in this order.

    The best ones come first, and of these the one with fewest consoles.
    """
    return sorted(
        (
            host
            for host in hosts
            if host.console_type == console_type
            and host.enabled
            and ranks[host.id] < _Rank.DOWN
        ),
        key=lambda host: (ranks[host.id], host.console_count, host.id),
    )


def _no_host(
    server: Server,
    hosts: Iterable[ConsoleHostRow],
    console_types: Sequence[str],
    ranks: Mapping[int, _Rank],
) -> str:
    if server.compute_host is None:
        return (
            f"Server {server.uuid} is not scheduled to a compute host yet. "
            "Retry the request later."
        )
    if any(
        host.enabled
        and host.console_type in console_types
        and ranks[host.id] is _Rank.DOWN
        for host in hosts
    ):
        return (
            f"The console hosts for server {server.uuid} are down. Retry the "
            "request later, or ask the operator to start their agents."
        )
    return (
        f"No console host serves the compute host of server {server.uuid}. "
        "Ask the operator to register one."
    )
