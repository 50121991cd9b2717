# SPDX-License-Identifier: Apache-2.0
"""Which consoles go into ``xvp.conf``, and why some cannot."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from console_api.agent.drivers.base import Console
from console_api.agent.drivers.xvp import grammar, passwords
from console_api.agent.drivers.xvp.model import quote
from console_api.agent.drivers.xvp.pools import Pool
from console_api.consoles import placement

#: With more dedicated ports xvp takes viewers, but never answers them.
MAX_PORTS = 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """A file for xvp.

    ``text`` is empty when no console can be written: xvp takes no file
    without one.  ``problems`` has a sentence for each console left out.
    """

    text: str = field(repr=False)
    ports: frozenset[int]
    consoles: Mapping[int, Console]
    problems: Mapping[int, str]


_NOTHING = Plan("", frozenset(), {}, {})


@dataclass(frozen=True, slots=True)
class _Line:
    """The line of a console, and the index of its pool."""

    pool: int
    text: str


class Writer:
    """Writes the files of one console host."""

    def __init__(
        self, pools: Sequence[Pool], multiplex_port: int | None
    ) -> None:
        """Write consoles into these pools, the first that matches."""
        self._pools = pools
        self._multiplex_port = multiplex_port
        # What each console is written as, or why it is not.  DES and
        # patterns take longest, and most consoles were there before.
        self._known: dict[Console, _Line | str] = {}
        self._last: tuple[object, Plan] = (None, _NOTHING)

    def ports(self, consoles: Mapping[int, Console]) -> frozenset[int]:
        """Return the ports that these consoles ask for, if xvp takes them."""
        wanted = {console.port for console in consoles.values()}
        if consoles:
            wanted.add(self._multiplex_port)
        return frozenset(
            port
            for port in wanted
            if port is not None and port in grammar.PORTS
        )

    def plan(
        self,
        consoles: Mapping[int, Console],
        taken: AbstractSet[int] = frozenset(),
    ) -> Plan:
        """Plan the file that has as many of these consoles as possible.

        Not to be called twice at a time.

        :param consoles: by their ids; where two of a pool exclude each
            other, the lower id is served
        :param taken: ports that other programs have
        """
        asked = (consoles, taken)
        # The agent asks again and again, mostly for the same.
        if asked != self._last[0]:
            self._known = {
                console: self._known.get(console)
                or _line(self._pools, console)
                for console in consoles.values()
            }
            self._last = (asked, self._plan(consoles, taken))
        return self._last[1]

    def _plan(
        self, consoles: Mapping[int, Console], taken: AbstractSet[int]
    ) -> Plan:
        problems: dict[int, str] = {}
        lines = self._choose(consoles, taken, problems)
        while lines:
            rows = list(self._rows(lines, taken))
            text = "".join(f"{row}\n" for row, _ in rows)
            try:
                file = grammar.parse(text)
            except grammar.Refused as refused:
                for number, reason in refused.refusals:
                    _, console_id = rows[number - 1]
                    if console_id is None:
                        raise  # The pools were checked: a bug of ours.
                    del lines[console_id]
                    problems[console_id] = _problem(reason)
            else:
                written = {number: consoles[number] for number in lines}
                return Plan(text, file.ports, written, problems)
        return replace(_NOTHING, problems=problems)

    def _choose(
        self,
        consoles: Mapping[int, Console],
        taken: AbstractSet[int],
        problems: dict[int, str],
    ) -> dict[int, _Line]:
        lines: dict[int, _Line] = {}
        dedicated = 0
        for number in sorted(consoles):
            console = consoles[number]
            port = console.port or self._multiplex_port
            line = self._known[console]
            if isinstance(line, str):
                problems[number] = _problem(line)
            elif port in taken:
                problems[number] = (
                    f"Another program has port {port}. End it, or give the "
                    "console host other ports."
                )
            elif console.port is not None and dedicated == MAX_PORTS:
                problems[number] = (
                    f"xvp serves no more than {MAX_PORTS} ports. Use a "
                    "multiplex port, or another console host."
                )
            else:
                dedicated += console.port is not None
                lines[number] = line
        return lines

    def _rows(
        self, lines: Mapping[int, _Line], taken: AbstractSet[int]
    ) -> Iterator[tuple[str, int | None]]:
        """Return the lines of the file, each with the id of its console."""
        # One-time passwords are off: with them, the database would not be
        # alone to decide who may see a screen.
        yield "OTP DENY", None
        if not {None, *taken} & {self._multiplex_port}:
            yield f"MULTIPLEX {self._multiplex_port}", None
        by_pool: list[list[tuple[str, int]]] = [[] for _ in self._pools]
        for number, line in lines.items():
            by_pool[line.pool].append((line.text, number))
        for pool, rows in zip(self._pools, by_pool, strict=True):
            if rows:
                yield from ((row, None) for row in pool.lines)
                yield from rows


def _line(pools: Sequence[Pool], console: Console) -> _Line | str:
    index = next(
        (
            index
            for index, pool in enumerate(pools)
            if placement.serves(pool.compute_hosts, console.compute_host)
        ),
        None,
    )
    if index is None:
        return "no pool has the compute host of its server"
    try:
        name = quote(console.instance_name)
        password = passwords.obfuscate_vm(console.password)
    except ValueError as error:
        return str(error)
    port = "-" if console.port is None else console.port
    return _Line(index, f"VM {port} {name} {password}")


def _problem(reason: str) -> str:
    return f"xvp cannot serve it: {reason}."
