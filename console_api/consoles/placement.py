# SPDX-License-Identifier: Apache-2.0
"""Which console host a console is placed on, decided without side effects."""

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console_api.db.console_hosts import ConsoleHostRow
from console_api.db.consoles import PlacedConsole
from console_api.directory.base import Server


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
    offers for its compute host.  A console that a console host serving the
    compute host already has is kept; a console on a console host that no
    longer serves it is moved.

    :param placed: the consoles of the server
    :param hosts: the enabled console hosts
    :param console_types: the preferred one first
    :param down_time: see ``is_up``
    """
    if server.compute_host is None:
        return Plan(
            refusal=f"Server {server.uuid} is not scheduled to a compute host "
            "yet. Retry the request later."
        )
    by_type = {console.console_type: console for console in placed}
    misplaced = [
        console
        for console in placed
        if not serves(console.compute_hosts, server.compute_host)
    ]
    are_down = False
    for console_type in console_types:
        console = by_type.get(console_type)
        if console is not None and console not in misplaced:
            return Plan()
        serving = candidates(hosts, console_type, server.compute_host)
        up = [host for host in serving if is_up(host, down_time)]
        are_down = are_down or len(serving) > len(up)
        if up:
            return Plan(
                up,
                console or next(iter(misplaced), None),
                f"No console host for server {server.uuid} has a free port. "
                "Retry the request later, or ask the operator to add ports.",
            )
    return Plan(refusal=_no_host(server, are_down=are_down))


def serves(patterns: Iterable[str], compute_host: str | None) -> bool:
    """Return whether a compute host matches one of some shell patterns.

    :param compute_host: None for a server that is not scheduled, which
        matches no pattern
    """
    return compute_host is not None and any(
        fnmatch.fnmatchcase(compute_host, pattern) for pattern in patterns
    )


def is_up(host: ConsoleHostRow, down_time: int) -> bool:
    """Return whether the agent of a console host counts as alive.

    Only the clock of the database server matters.

    :param down_time: seconds without a heartbeat after which it is down
    """
    return (
        host.last_seen_at is not None
        and host.read_at - host.last_seen_at <= down_time
    )


def candidates(
    hosts: Iterable[ConsoleHostRow],
    console_type: str,
    compute_host: str | None,
) -> list[ConsoleHostRow]:
    """Return the console hosts to try, the one with fewest consoles first."""
    return sorted(
        (
            host
            for host in hosts
            if host.console_type == console_type
            and serves(host.compute_hosts, compute_host)
        ),
        key=lambda host: (host.console_count, host.id),
    )


def _no_host(server: Server, *, are_down: bool) -> str:
    if are_down:
        return (
            f"The console hosts for server {server.uuid} are down. Retry the "
            "request later, or ask the operator to start their agents."
        )
    return (
        f"No console host serves the compute host of server {server.uuid}. "
        "Ask the operator to register one."
    )
