# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.report``: write the results into the documentation.

Updates the figures in README.rst, the benchmark page and its plots.  All
figures come from ``results``.
"""

import json
import string
import sys
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from benchmarks import figures, plots, programs, tables
from benchmarks.documents import (
    Agent,
    Compare,
    CompareDatabase,
    Gateway,
    Growth,
    GrowthDatabase,
    Profile,
    ProfileDatabase,
    Sizes,
    Soak,
)

_ROOT = Path(__file__).parents[1]
_RESULTS = Path(__file__).parent / "results"
_PAGE = _ROOT / "doc" / "source" / "benchmarks"
_TEMPLATE = Path(__file__).with_name("page.rst.in")

_BEGIN = ".. benchmarks: begin"
_END = ".. benchmarks: end"

Database = TypeVar("Database")


def main() -> None:
    """Update the documentation; exit with a message if that fails."""
    try:
        compare: Compare = json.loads(_result("compare"))
        growth: Growth = json.loads(_result("growth"))
        profile: Profile = json.loads(_result("profile"))
        agent: Agent = json.loads(_result("agent"))
        gateway: Gateway = json.loads(_result("gateway"))
        soak: Soak = json.loads(_result("soak"))
        readme = _ROOT / "README.rst"
        new = _replace_summary(readme.read_text(), summary(compare))
    except (programs.BenchmarkError, OSError) as error:
        sys.exit(f"benchmarks.report: {error}")
    readme.write_text(new)
    _PAGE.mkdir(parents=True, exist_ok=True)
    plots.draw(growth, _PAGE)
    text = page(compare, growth, profile, agent, gateway=gateway, soak=soak)
    (_PAGE / "index.rst").write_text(text)


def _result(name: str) -> str:
    return (_RESULTS / f"{name}.json").read_text()


def _replace_summary(text: str, new: str) -> str:
    """Replace the lines between the two comments.

    :raises BenchmarkError: the comments are missing
    """
    before, begin, rest = text.partition(f"{_BEGIN}\n")
    _, end, after = rest.partition(_END)
    if not (begin and end):
        message = f"README.rst must contain {_BEGIN!r} and {_END!r}."
        raise programs.BenchmarkError(message)
    return f"{before}{begin}\n{new}\n\n{end}{after}"


def summary(compare: Compare) -> str:
    """Return the sentences for README.rst about token look-ups."""
    found = [
        figures.lookup(database["operations"])
        for database in compare["databases"].values()
    ]
    rates = [row.rate for row in found]
    shares = [row.to_bare for row in found if row.to_bare]
    factors = [row.to_nova for row in found if row.to_nova]
    text = (
        "One worker answers "
        f"{min(rates):,.0f} to {max(rates):,.0f} look-ups of tokens per "
        f"second, depending on the database: {min(shares):.0%} to "
        f"{max(shares):.0%} of what a bare WSGI application with the same "
        f"SQL statement reaches, and {min(factors):.1f} to "
        f"{max(factors):.1f} times as many as Nova."
    )
    link = "See `Benchmarks <doc/source/benchmarks/index.rst>`_."
    return textwrap.fill(f"{text} {link}", 79, break_on_hyphens=False)


def page(
    compare: Compare,
    growth: Growth,
    profile: Profile,
    agent: Agent,
    *,
    gateway: Gateway,
    soak: Soak,
) -> str:
    """Return the text of the benchmark page."""

    def details(found: CompareDatabase) -> str:
        return f"{found['version']}:\n\n{tables.details(found['operations'])}"

    def layers(found: ProfileDatabase) -> str:
        return f"{found['version']}:\n\n{tables.layers(found['operations'])}"

    def consoles(
        select: Callable[[GrowthDatabase], Sizes], *, has_rates: bool = False
    ) -> str:
        return tables.by_size(growth, select, "Consoles", has_rates=has_rates)

    template = string.Template(_TEMPLATE.read_text())
    return template.substitute(
        conditions=tables.conditions(compare),
        comparison=_for_each(compare["databases"].values(), details),
        not_available=tables.not_available(),
        memory=tables.memory(compare),
        growth_conditions=tables.conditions(growth),
        tokens=tables.by_size(growth, lambda one: one["tokens"], "Tokens"),
        lists=consoles(lambda one: one["consoles"]["list"], has_rates=True),
        # Creations may end early, so they have no rate.
        creations=consoles(lambda one: one["consoles"]["create"]),
        searches=consoles(lambda one: one["consoles"]["port_search"]),
        purge=tables.purge(growth),
        workers=tables.by_size(growth, lambda one: one["workers"], "Workers"),
        agent_conditions=tables.agent_conditions(agent),
        agent_consoles=tables.agent_consoles(agent),
        agent_bytes=tables.agent_bytes(agent),
        agent_memory=tables.agent_memory(agent),
        gateway_conditions=tables.gateway_conditions(gateway),
        gateway_speed=tables.gateway_speed(gateway),
        gateway_memory=tables.gateway_memory(gateway),
        soak_conditions=tables.soak_conditions(soak),
        soak=tables.soak(soak),
        layers=_for_each(profile["databases"].values(), layers),
    )


def _for_each(
    databases: Iterable[Database], text_of: Callable[[Database], str]
) -> str:
    return "\n\n".join(text_of(database) for database in databases)


if __name__ == "__main__":
    main()
