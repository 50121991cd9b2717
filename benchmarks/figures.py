# SPDX-License-Identifier: Apache-2.0
"""Medians and ratios of the rounds of a comparison."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.documents import Programs, Series
from benchmarks.operations import OPERATIONS, PROGRAMS

TITLES = {
    "console_api": "console_api",
    "bare": "bare WSGI application",
    "nova": "Nova",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One program and operation on one database; medians of the rounds.

    The ratios are medians as well, of the ratio in each round: whatever else
    the machine did in that round affected both programs.
    """

    operation: str
    program: str
    rate: float
    min_rate: float
    max_rate: float
    p50: float
    p99: float
    to_bare: float | None
    to_nova: float | None


def rows(operations: Mapping[str, Programs]) -> list[Row]:
    """Return the rows of a database, by operation, then by program."""
    return [
        _row(name, program, operations[name])
        for name in OPERATIONS
        if name in operations
        for program in PROGRAMS
        if program in operations[name]
    ]


def lookup(operations: Mapping[str, Programs]) -> Row:
    """Return the row of token look-ups by console_api."""
    return _row("hit", "console_api", operations["hit"])


def _row(name: str, program: str, programs: Programs) -> Row:
    series = programs[program]
    rates = series["rate"]
    return Row(
        operation=name,
        program=program,
        rate=statistics.median(rates),
        min_rate=min(rates),
        max_rate=max(rates),
        p50=statistics.median(series["p50"]),
        p99=statistics.median(series["p99"]),
        to_bare=_ratio(rates, programs.get("bare")),
        to_nova=_ratio(rates, programs.get("nova")),
    )


def _ratio(rates: Sequence[float], other: Series | None) -> float | None:
    if other is None:
        return None
    pairs = zip(rates, other["rate"], strict=True)
    return statistics.median(mine / theirs for mine, theirs in pairs)
