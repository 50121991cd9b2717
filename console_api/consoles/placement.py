# SPDX-License-Identifier: Apache-2.0
"""Which console host a console goes to, decided without side effects."""

import fnmatch
from collections.abc import Iterable
from typing import Protocol, TypeVar


class ConsoleHost(Protocol):
    """What placing needs to know of a console host."""

    @property
    def id(self) -> int:
        """Its number, which breaks ties."""

    @property
    def console_type(self) -> str:
        """The type of the consoles that it makes."""

    @property
    def compute_hosts(self) -> str:
        """Shell patterns of the compute hosts it serves, by spaces."""

    @property
    def console_count(self) -> int:
        """How many consoles it has."""

    @property
    def last_seen_at(self) -> int | None:
        """When its agent was last seen, in seconds since the epoch."""


Host = TypeVar("Host", bound=ConsoleHost)


def serves(compute_hosts: str, compute_host: str | None) -> bool:
    """Tell whether patterns of compute hosts match a server's one.

    A server that has no compute host yet is served by nobody.
    """
    return compute_host is not None and any(
        fnmatch.fnmatchcase(compute_host, pattern)
        for pattern in compute_hosts.split()
    )


def is_up(last_seen_at: int | None, now: float, down_time: int) -> bool:
    """Tell whether an agent that was last seen then still counts as alive.

    The clocks of API workers and console hosts are compared: an agent that
    seems to be ahead is alive.
    """
    return last_seen_at is not None and now - last_seen_at <= down_time


def candidates(
    hosts: Iterable[Host], console_type: str, compute_host: str | None
) -> list[Host]:
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
