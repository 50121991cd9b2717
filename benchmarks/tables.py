# SPDX-License-Identifier: Apache-2.0
"""The measurements as tables and sentences in reStructuredText."""

import statistics
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import figures, rst
from benchmarks.operations import OPERATIONS, PROGRAMS

Document = Mapping[str, Any]

# Versions of what decides the figures; the JSON file has all of them.
_NAMED = ("console-api", "nova", "gunicorn", "SQLAlchemy", "PyMySQL")
_NONE = "n/a"


def conditions(document: Document) -> str:
    """Say on what, with what and how often it was measured."""
    machine, settings = document["machine"], document["settings"]
    versions = [
        f"{name} {machine['packages'][name]}"
        for name in _NAMED
        if name in machine["packages"]
    ]
    text = (
        f"Measured on {machine['date']}: {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['kernel']}; Python {machine['python']}, "
        f"{', '.join(versions)}; Gunicorn with one worker of "
        f"{settings['threads']} threads, {settings['connections']} "
        f"connections from wrk {machine['wrk']} on the same machine; median "
        f"of {settings['rounds']} rounds of {settings['seconds']} seconds."
    )
    return textwrap.fill(text, 79, break_on_hyphens=False)


def short(operations: Document) -> str:
    """Return the rates of all programs, an operation a row."""
    found = {
        (row.operation, row.program): row for row in figures.rows(operations)
    }
    lines = []
    for name in operations:
        own = found[name, "console_api"]
        rates = [
            f"{found[name, program].rate:,.0f}"
            if (name, program) in found
            else _NONE
            for program in PROGRAMS
        ]
        lines.append([OPERATIONS[name].title, *rates, *_ratios(own)])
    header = [figures.TITLES[program] for program in PROGRAMS]
    return rst.table(["Operation", *header, "of bare", "of Nova"], lines)


def long(operations: Document) -> str:
    """Return all figures, an operation and program a row."""
    lines = [
        [
            OPERATIONS[row.operation].title,
            figures.TITLES[row.program],
            f"{row.rate:,.0f}",
            f"{row.lowest:,.0f} to {row.highest:,.0f}",
            f"{row.p50:.2f}",
            f"{row.p99:.2f}",
            *_ratios(row),
        ]
        for row in figures.rows(operations)
    ]
    header = ["Operation", "Program", "a second", "lowest to highest"]
    header += ["p50 ms", "p99 ms", "of bare", "of Nova"]
    return rst.table(header, lines)


def _ratios(row: figures.Row) -> list[str]:
    return [
        f"{row.to_bare:.0%}" if row.to_bare else _NONE,
        f"{row.to_nova:.1f} x" if row.to_nova else _NONE,
    ]


def not_available() -> str:
    """Say why there are no figures of a program."""
    reasons: dict[str, list[str]] = {}
    for operation in OPERATIONS.values():
        for reason in (operation.missing or {}).values():
            reasons.setdefault(reason, []).append(operation.title.strip("… "))
    parts = [
        f"{', '.join(titles).lower()}: {reason}"
        for reason, titles in reasons.items()
    ]
    return textwrap.fill(f"{_NONE}: {'; '.join(parts)}.", 79)


def memory(document: Document) -> str:
    """Return the resident memory of a worker of each program."""
    lines = [
        [
            found["version"],
            *(
                f"{found['memory'][program]:.0f}"
                if program in found["memory"]
                else _NONE
                for program in PROGRAMS
            ),
        ]
        for found in document["databases"].values()
    ]
    header = [f"{figures.TITLES[program]}, MiB" for program in PROGRAMS]
    return rst.table(["Database", *header], lines)


def by_size(
    document: Document,
    choose: Callable[[Document], Document],
    title: str,
    *,
    rates: bool = True,
) -> str:
    """Return the figures of each database, a size a row.

    :param rates: whether the requests of a second mean something.
    """
    databases = list(document["databases"].values())
    header = [title]
    for found in databases:
        if rates:
            header.append(f"{found['version']}, a second")
        header += [f"{found['version']}, p50 ms", "p99 ms"]
    lines = []
    for size in choose(databases[0]):
        line = [f"{int(size):,}"]
        for found in databases:
            series = choose(found)[size]
            if rates:
                line.append(f"{statistics.median(series['rate']):,.0f}")
            line.append(f"{statistics.median(series['p50']):.2f}")
            line.append(f"{statistics.median(series['p99']):.2f}")
        lines.append(line)
    return rst.table(header, lines)


def purge(document: Document) -> str:
    """Return the figures of the purge, a database a row."""
    lines = []
    for found in document["databases"].values():
        one = found["purge"]
        usual = statistics.median(one["usual"]["p99"])
        during = statistics.median(one["during"]["p99"])
        lines.append(
            [
                found["version"],
                f"{one['tokens']:,}",
                f"{one['seconds']:.0f}",
                f"{usual:.2f}",
                f"{during:.2f}",
                f"{during / usual:.1f} x",
            ]
        )
    header = ["Database", "Tokens purged", "in seconds"]
    header += ["usual p99 ms", "p99 ms meanwhile", "ratio"]
    return rst.table(header, lines)


def layers(operations: Document) -> str:
    """Return the microseconds of each layer, an operation a column."""
    names = list(operations)
    spent = {name: operations[name]["layers"] for name in names}
    found = {layer: None for name in names for layer in spent[name]}
    ordered = sorted(
        found,
        key=lambda layer: -sum(spent[name].get(layer, 0) for name in names),
    )
    lines = [
        [layer, *(f"{spent[name].get(layer, 0):.0f}" for name in names)]
        for layer in ordered
    ]
    total = [f"{sum(spent[name].values()):.0f}" for name in names]
    return rst.table(["Layer", *names], [*lines, ["Sum", *total]])


def agent_conditions(document: Document) -> str:
    """Say on what and how often the agent was measured."""
    machine, settings = document["machine"], document["settings"]
    text = (
        f"Measured on {machine['date']}: {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['kernel']}; Python {machine['python']}, "
        f"{document['version']}, socat {machine['socat']}; "
        f"{settings['rounds']} rounds, bytes for {settings['seconds']} "
        "seconds each."
    )
    return textwrap.fill(text, 79, break_on_hyphens=False)


def agent_consoles(document: Document) -> str:
    """Return how long many consoles take."""
    found = document["consoles"]
    count = f"{found['count']:,} consoles"
    # What a start without consoles takes is no part of the comparison.
    full = [
        with_all - without
        for with_all, without in zip(
            found["start"], found["start_empty"], strict=True
        )
    ]
    lines = [
        [f"Start until ready, {count}, s", *_spread(found["start"])],
        ["Start until ready, no console, s", *_spread(found["start_empty"])],
        ["Difference: the full reconcile, s", *_spread(full)],
        ["A create until its port is open, s", *_spread(found["create"])],
        ["A delete until its port is closed, s", *_spread(found["delete"])],
    ]
    return rst.table(["Measured", "median", "lowest", "highest"], lines)


def agent_bytes(document: Document) -> str:
    """Return what one session moves, beside others on the same way."""
    rates = document["bytes_per_second"]
    lines = []
    for way, values in rates.items():
        ratios = [
            own / other
            for own, other in zip(rates["agent"], values, strict=True)
        ]
        megabytes = _spread([value / 1e6 for value in values], 0)
        lines.append([way, *megabytes, f"{statistics.median(ratios):.0%}"])
    header = ["Through", "MB a second", "lowest", "highest"]
    return rst.table([*header, "the agent is of it"], lines)


def agent_memory(document: Document) -> str:
    """Return the resident memory of consoles and of idle sessions."""
    found, sessions = document["consoles"], document["sessions"]
    kib = f"{found['memory_kib']:,}"
    lines = [
        [f"Agent with {found['count']:,} consoles", kib],
        [
            f"Each of {sessions['count']:,} idle sessions",
            f"{sessions['kib_each']:.1f}",
        ],
    ]
    return rst.table(["Resident memory", "KiB"], lines)


def _spread(values: list[float], digits: int = 2) -> list[str]:
    chosen = (statistics.median(values), min(values), max(values))
    return [f"{value:,.{digits}f}" for value in chosen]
