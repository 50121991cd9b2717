# SPDX-License-Identifier: Apache-2.0
"""Plots of how console_api grows, as SVG files for the documentation.

The same figures make the same files, byte for byte.
"""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

_COLOURS = {"mysql": "#1f6feb", "postgresql": "#d1570b", "sqlite": "#2da44e"}
_DASHES = ("-", "--", ":")

Series = Mapping[str, Mapping[str, Sequence[float]]]


def draw(document: Mapping[str, Any], folder: Path) -> None:
    """Draw every plot of a growth measurement into a folder."""
    mpl.rcParams["svg.hashsalt"] = "console_api"
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["font.size"] = 9
    found = document["databases"]
    _tokens(found, folder / "tokens.svg")
    _consoles(found, folder / "consoles.svg")
    _purge(found, folder / "purge.svg")
    _workers(found, folder / "workers.svg")


def _tokens(databases: Mapping[str, Any], path: Path) -> None:
    figure, axes = _axes("tokens in the database", "milliseconds")
    axes.set_xscale("log")
    for kind, found in databases.items():
        for value, dash in zip(("p50", "p99"), _DASHES, strict=False):
            label = f"{found['version']}, {value}"
            _line(axes, found["tokens"], value, kind, dash, label)
    _save(figure, axes, path)


def _consoles(databases: Mapping[str, Any], path: Path) -> None:
    figure, axes = _axes("consoles on the console host", "p50, milliseconds")
    axes.set_xscale("log")
    names = {
        "list": "list",
        "create": "create, one port",
        "port_search": "create, port search",
    }
    for kind, found in databases.items():
        for name, dash in zip(names, _DASHES, strict=True):
            label = f"{found['version']}, {names[name]}"
            _line(axes, found["consoles"][name], "p50", kind, dash, label)
    _save(figure, axes, path)


def _purge(databases: Mapping[str, Any], path: Path) -> None:
    figure, axes = _axes("", "p99 of a look-up, milliseconds")
    for place, (kind, found) in enumerate(databases.items()):
        purge = found["purge"]
        heights = [
            statistics.median(purge["usual"]["p99"]),
            statistics.median(purge["during"]["p99"]),
        ]
        bars = axes.bar(
            [place * 3, place * 3 + 1],
            heights,
            color=_COLOURS[kind],
            label=found["version"],
        )
        axes.bar_label(bars, labels=["usual", "purging"])
    axes.set_xticks([])
    _save(figure, axes, path)


def _workers(databases: Mapping[str, Any], path: Path) -> None:
    figure, axes = _axes("workers", "look-ups a second")
    for kind, found in databases.items():
        label = found["version"]
        _line(axes, found["workers"], "rate", kind, "-", label)
    _save(figure, axes, path)


def _axes(x: str, y: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _line(
    axes: Any, series: Series, value: str, kind: str, dash: str, label: str
) -> None:
    x = [int(size) for size in series]
    y = [statistics.median(one[value]) for one in series.values()]
    axes.plot(
        x, y, marker="o", color=_COLOURS[kind], linestyle=dash, label=label
    )


def _save(figure: Figure, axes: Any, path: Path) -> None:
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    # Without trailing blanks, as every file of the checkout.
    lines = path.read_text().splitlines()
    path.write_text("".join(f"{line.rstrip()}\n" for line in lines))
