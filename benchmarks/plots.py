# SPDX-License-Identifier: Apache-2.0
"""Plot how console_api scales, as SVG files for the documentation.

The files are reproducible: equal figures give equal bytes.
"""

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.documents import Growth, GrowthDatabase, Sizes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"mysql": "#1f6feb", "postgresql": "#d1570b", "sqlite": "#2da44e"}

Databases = Mapping[str, GrowthDatabase]
Value = Literal["rate", "p50", "p99"]


def draw(document: Growth, folder: Path) -> None:
    """Draw all plots of a growth measurement into a folder."""
    mpl.rcParams["svg.hashsalt"] = "console_api"
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["font.size"] = 9
    found = document["databases"]
    _tokens(found, folder / "tokens.svg")
    _consoles(found, folder / "consoles.svg")
    _purge(found, folder / "purge.svg")
    _workers(found, folder / "workers.svg")


def _tokens(databases: Databases, path: Path) -> None:
    plot = _Plot("tokens in the database", "milliseconds")
    plot.axes.set_xscale("log")
    values: tuple[tuple[Value, str], ...] = (("p50", "-"), ("p99", "--"))
    for kind, found in databases.items():
        for value, style in values:
            label = f"{found['version']}, {value}"
            plot.add_line(found["tokens"], value, label, _COLOURS[kind], style)
    plot.save(path)


def _consoles(databases: Databases, path: Path) -> None:
    plot = _Plot("consoles on the console host", "p50, milliseconds")
    plot.axes.set_xscale("log")
    for kind, found in databases.items():
        consoles = found["consoles"]
        for sizes, title, style in (
            (consoles["list"], "list", "-"),
            (consoles["create"], "create, one port", "--"),
            (consoles["port_search"], "create, port search", ":"),
        ):
            label = f"{found['version']}, {title}"
            plot.add_line(sizes, "p50", label, _COLOURS[kind], style)
    plot.save(path)


def _purge(databases: Databases, path: Path) -> None:
    plot = _Plot("", "p99 of a look-up, milliseconds")
    for place, (kind, found) in enumerate(databases.items()):
        purge = found["purge"]
        bars = plot.axes.bar(
            [place * 3, place * 3 + 1],
            [
                statistics.median(purge["usual"]["p99"]),
                statistics.median(purge["during"]["p99"]),
            ],
            color=_COLOURS[kind],
            label=found["version"],
        )
        plot.axes.bar_label(bars, labels=["before", "during"])
    plot.axes.set_xticks([])
    plot.save(path)


def _workers(databases: Databases, path: Path) -> None:
    plot = _Plot("workers", "look-ups per second")
    for kind, found in databases.items():
        plot.add_line(
            found["workers"], "rate", found["version"], _COLOURS[kind]
        )
    plot.save(path)


class _Plot:
    """A figure with one pair of axes."""

    def __init__(self, x_label: str, y_label: str) -> None:
        self._figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        self.axes: Axes = self._figure.add_subplot()
        self.axes.set_xlabel(x_label)
        self.axes.set_ylabel(y_label)
        self.axes.grid(visible=True, alpha=0.3)
        self.axes.spines[["top", "right"]].set_visible(False)

    def add_line(
        self,
        sizes: Sizes,
        value: Value,
        label: str,
        colour: str,
        style: str = "-",
    ) -> None:
        """Add the medians of a value by size."""
        self.axes.plot(
            [int(size) for size in sizes],
            [statistics.median(one[value]) for one in sizes.values()],
            marker="o",
            color=colour,
            linestyle=style,
            label=label,
        )

    def save(self, path: Path) -> None:
        """Write the figure as an SVG file without trailing whitespace."""
        self.axes.set_ylim(bottom=0)
        self.axes.legend(frameon=False, fontsize=8)
        self._figure.savefig(path, metadata={"Date": None, "Creator": None})
        lines = path.read_text().splitlines()
        path.write_text("".join(f"{line.rstrip()}\n" for line in lines))
