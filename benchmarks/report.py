# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.report``: from the measurements to what is read.

Writes the table of README.rst, the page of the documentation and its plots
anew.  What they say is in ``results`` alone; nothing of it is typed.
"""

import json
import string
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import plots, programs, tables

_ROOT = Path(__file__).parents[1]
_RESULTS = Path(__file__).parent / "results"
_PAGE = _ROOT / "doc" / "source" / "benchmarks"
_TEMPLATE = Path(__file__).with_name("page.rst.in")

_BEGIN = ".. benchmarks: begin"
_END = ".. benchmarks: end"

Document = Mapping[str, Any]


_NAMES = ("compare", "growth", "profile", "agent")


def main() -> None:
    """Write what has been measured; exits 1 with a sentence if it cannot."""
    try:
        found = {
            name: json.loads((_RESULTS / f"{name}.json").read_text())
            for name in _NAMES
            if name == "compare" or (_RESULTS / f"{name}.json").exists()
        }
        readme = _ROOT / "README.rst"
        new = _between(readme.read_text(), summary(found["compare"]))
    except (programs.BenchmarkError, OSError) as error:
        sys.exit(f"benchmarks.report: {error}")
    readme.write_text(new)
    if set(_NAMES) - found.keys():
        # The page needs them all: measure with --growth, --profile, --agent.
        return
    _PAGE.mkdir(parents=True, exist_ok=True)
    plots.draw(found["growth"], _PAGE)
    (_PAGE / "index.rst").write_text(page(found))


def _between(text: str, new: str) -> str:
    """Replace what stands between the two comments.

    :raises BenchmarkError: they are not there.
    """
    before, begin, rest = text.partition(f"{_BEGIN}\n")
    _, end, after = rest.partition(_END)
    if not (begin and end):
        message = f"README.rst needs the lines {_BEGIN!r} and {_END!r}."
        raise programs.BenchmarkError(message)
    return f"{before}{begin}\n{new}\n\n{end}{after}"


def summary(document: Document) -> str:
    """Return the text for README.rst: medians on each database."""

    def of_database(found: Document) -> str:
        title = f"Requests a second, {found['version']}:"
        return f"{title}\n\n{tables.short(found['operations'])}"

    return "\n\n".join(
        [
            tables.conditions(document),
            _each(document, of_database),
            tables.not_available(),
        ]
    )


def page(found: Mapping[str, Document]) -> str:
    """Return the page of the documentation."""
    compare, growth = found["compare"], found["growth"]
    template = string.Template(_TEMPLATE.read_text())
    return template.substitute(
        conditions=tables.conditions(compare),
        comparison=_each(compare, _titled(tables.long)),
        not_available=tables.not_available(),
        memory=tables.memory(compare),
        growth_conditions=tables.conditions(growth),
        tokens=tables.by_size(growth, lambda one: one["tokens"], "Tokens"),
        lists=_consoles(growth, "list"),
        creations=_consoles(growth, "create"),
        searches=_consoles(growth, "port_search"),
        purge=tables.purge(growth),
        workers=tables.by_size(growth, lambda one: one["workers"], "Workers"),
        agent_conditions=tables.agent_conditions(found["agent"]),
        agent_consoles=tables.agent_consoles(found["agent"]),
        agent_bytes=tables.agent_bytes(found["agent"]),
        agent_memory=tables.agent_memory(found["agent"]),
        layers=_each(found["profile"], _titled(tables.layers)),
    )


def _consoles(growth: Document, name: str) -> str:
    # Creations may be over before the time is: they have no rate.
    return tables.by_size(
        growth,
        lambda one: one["consoles"][name],
        "Consoles",
        rates=name == "list",
    )


def _titled(make: Callable[[Document], str]) -> Callable[[Document], str]:
    def of_database(found: Document) -> str:
        return f"{found['version']}:\n\n{make(found['operations'])}"

    return of_database


def _each(document: Document, make: Callable[[Document], str]) -> str:
    return "\n\n".join(make(one) for one in document["databases"].values())


if __name__ == "__main__":
    main()
