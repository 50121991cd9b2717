# SPDX-License-Identifier: Apache-2.0
"""From the rounds of a measurement to what is shown of them."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.operations import OPERATIONS, PROGRAMS

TITLES = {
    "console_api": "console_api",
    "bare": "bare WSGI application",
    "nova": "Nova",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One program and operation on one database; medians of the rounds.

    The ratios are medians too, of what the programs reached in the same
    round: what else the machine did then is in both.
    """

    operation: str
    program: str
    rate: float
    lowest: float
    highest: float
    p50: float
    p99: float
    to_bare: float | None
    to_nova: float | None


def rows(operations: Mapping[str, Any]) -> list[Row]:
    """Return the rows of a database, by operation, then by program."""
    return [
        _row(name, program, operations[name])
        for name in OPERATIONS
        if name in operations
        for program in PROGRAMS
        if program in operations[name]
    ]


def _row(name: str, program: str, programs: Mapping[str, Any]) -> Row:
    series = programs[program]
    rates = series["rate"]
    return Row(
        operation=name,
        program=program,
        rate=statistics.median(rates),
        lowest=min(rates),
        highest=max(rates),
        p50=statistics.median(series["p50"]),
        p99=statistics.median(series["p99"]),
        to_bare=_ratio(rates, programs.get("bare")),
        to_nova=_ratio(rates, programs.get("nova")),
    )


def _ratio(
    rates: Sequence[float], other: Mapping[str, Any] | None
) -> float | None:
    if other is None:
        return None
    others: Sequence[float] = other["rate"]
    pairs = zip(rates, others, strict=True)
    return statistics.median(mine / theirs for mine, theirs in pairs)
