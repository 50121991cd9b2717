# SPDX-License-Identifier: Apache-2.0
"""Which consoles ``xvp.conf`` contains, and why some are left out."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TypeAlias

from console_api.agent.drivers.base import Console
from console_api.agent.drivers.xvp import fields, passwords
from console_api.agent.drivers.xvp.pools import Pool
from console_api.consoles import placement


@dataclass(frozen=True, slots=True)
class Plan:
    """A file for xvp.

    ``text`` is empty when there is no console to write: xvp refuses a file
    without one.  ``ports`` are those that xvp opens for it, ``lines`` has the
    ID of the console that each line is about, by its number.  ``problems`` has
    a sentence for each console that was left out.
    """

    text: str = field(repr=False)
    ports: frozenset[int]
    consoles: Mapping[int, Console]
    lines: Mapping[int, int]
    problems: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class _Entry:
    """The line of a console, and the index of its pool."""

    pool: int
    line: str


# A line, and the ID of the console that it is about.
_Line: TypeAlias = tuple[str, int | None]


class Writer:
    """Plans the files of one console host."""

    def __init__(
        self, pools: Sequence[Pool], multiplex_port: int | None
    ) -> None:
        """Prepare to write consoles into pools.

        :param pools: the first one whose patterns match the compute host of
            a console's server gets the console
        """
        self._pools = pools
        self._multiplex_port = multiplex_port
        # DES and patterns take longest, and few consoles are new.
        self._entries: dict[Console, _Entry | str] = {}

    def ports(self, consoles: Mapping[int, Console]) -> frozenset[int]:
        """Return the valid ports of consoles, the multiplex port included."""
        wanted = {console.port for console in consoles.values()}
        if consoles:
            wanted.add(self._multiplex_port)
        return frozenset(
            port
            for port in wanted
            if port is not None and port in fields.PORTS
        )

    def plan(
        self,
        consoles: Mapping[int, Console],
        taken: AbstractSet[int] = frozenset(),
    ) -> Plan:
        """Plan the file that contains as many of the consoles as possible.

        Not safe for threads.

        :param consoles: by id; of two that exclude each other, the one with
            the lower id is served
        :param taken: ports in use by other programs
        """
        self._entries = {
            console: self._entries.get(console) or _entry(self._pools, console)
            for console in consoles.values()
        }
        draft = _Draft(self._pools, self._multiplex_port, taken)
        problems: dict[int, str] = {}
        for number in sorted(consoles):
            console = consoles[number]
            entry = self._entries[console]
            reason = (
                entry if isinstance(entry, str) else draft.add(console, entry)
            )
            if reason is not None:
                problems[number] = f"xvp cannot serve it: {reason}."
        written = {n: c for n, c in consoles.items() if n not in problems}
        if not written:
            return Plan("", frozenset(), {}, {}, problems)
        lines = list(draft.lines())
        return Plan(
            "".join(f"{line}\n" for line, _ in lines),
            frozenset(draft.ports),
            written,
            {
                number: console_id
                for number, (_, console_id) in enumerate(lines, 1)
                if console_id is not None
            },
            problems,
        )


class _Draft:
    """A file that consoles are added to, one after the other."""

    def __init__(
        self,
        pools: Sequence[Pool],
        multiplex_port: int | None,
        taken: AbstractSet[int],
    ) -> None:
        self._pools = pools
        self._multiplex_port = multiplex_port
        self._taken = taken
        # The lines of each pool, and what consoles they are about.
        self._lines: list[list[_Line]] = [[] for _ in pools]
        self._names: set[tuple[int, str]] = set()
        self._dedicated = 0
        self.ports = {
            port
            for port in (multiplex_port,)
            if port is not None and port not in taken
        }

    def add(self, console: Console, entry: _Entry) -> str | None:
        """Add a console.

        :returns: why that is not possible, if it is not
        """
        # xvp knows a server by its UUID with and without this.
        name = (entry.pool, console.instance_name.removeprefix("uuid="))
        port = self._multiplex_port if console.port is None else console.port
        if port is None:
            return "the console host has no multiplex port"
        if port in self._taken:
            return f"another program uses port {port}"
        # xvp does not notice this of UUIDs, and serves only one of the two.
        if name in self._names:
            return "another server of its pool has the same name"
        if console.port is not None:
            if port in self.ports:
                return f"port {port} is used twice"
            if self._dedicated == fields.MAX_PORTS:
                return (
                    f"it serves at most {fields.MAX_PORTS} ports; use a "
                    "multiplex port, or another console host"
                )
            self._dedicated += 1
            self.ports.add(port)
        self._names.add(name)
        self._lines[entry.pool].append((entry.line, console.id))
        return None

    def lines(self) -> Iterator[_Line]:
        """Iterate over the lines of the file, in the order xvp expects."""
        # One-time passwords are disabled: they would grant access that the
        # database does not control.
        yield "OTP DENY", None
        if self._multiplex_port in self.ports:
            yield f"MULTIPLEX {self._multiplex_port}", None
        for pool, lines in zip(self._pools, self._lines, strict=True):
            # xvp refuses a pool without a server.
            if lines:
                yield from ((line, None) for line in pool.lines)
                yield from lines


def _entry(pools: Sequence[Pool], console: Console) -> _Entry | str:
    """Return the entry of a console, or why it cannot have one."""
    index = next(
        (
            index
            for index, pool in enumerate(pools)
            if placement.serves(pool.compute_hosts, console.compute_host)
        ),
        None,
    )
    if index is None:
        return "no pool serves the compute host of its server"
    if console.instance_name.casefold() in pools[index].host_names:
        return (
            "its instance name is that of a host of its pool, whose control "
            "domain would be shown"
        )
    if console.port is not None and console.port not in fields.PORTS:
        return (
            f"its port must be between {fields.PORTS[0]} and "
            f"{fields.PORTS[-1]}"
        )
    try:
        name = fields.server(
            console.instance_name, is_multiplexed=console.port is None
        )
    except ValueError as error:
        return f"its instance name {error}"
    try:
        password = passwords.obfuscate_vm(console.password)
    except ValueError as error:
        return f"its password {error}"
    port = "-" if console.port is None else console.port
    return _Entry(index, f"VM {port} {name} {password}")
