# SPDX-License-Identifier: Apache-2.0
"""Print findings as compilers do, to be read and to be searched."""

import argparse
import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from cliff.formatters import base

from console_api.cmd.commands import counted
from console_api.cmd.policy.columns import wrap
from console_api.policy.findings import Level

_INDENT = "    "
_MIN_WIDTH = 40
_MAX_WIDTH = 100


class ReportFormatter(base.ListFormatter):
    """Prints the findings as text, and how many there are of each level."""

    def add_argument_group(self, parser: argparse.ArgumentParser) -> None:
        """Add no options."""

    def emit_list(
        self,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
        stdout: TextIO,
        _parsed_args: argparse.Namespace,
    ) -> None:
        """Print the findings."""
        rows = [dict(zip(column_names, row, strict=True)) for row in data]
        width = min(
            max(shutil.get_terminal_size().columns, _MIN_WIDTH), _MAX_WIDTH
        )
        stdout.writelines(f"{_describe(row, width)}\n\n" for row in rows)
        stdout.write(f"{_count([row.get('level') for row in rows])}\n")


def _describe(row: Mapping[str, Any], width: int) -> str:
    """Return the place and level of a finding, and its sentences below."""
    place = ":".join(
        str(row[column])
        for column in ("file", "line", "column")
        if row.get(column) is not None
    )
    lines = [
        ": ".join(filter(None, (place, row.get("level"), row.get("rule"))))
    ]
    for label, column in (
        ("", "message"),
        ("Effect: ", "consequence"),
        ("Remedy: ", "remedy"),
    ):
        if column in row:
            text = wrap(f"{label}{row[column]}", width - len(_INDENT))
            lines.append(textwrap.indent(text, _INDENT))
    return "\n".join(lines)


def _count(levels: Sequence[str | None]) -> str:
    """Return how many findings there are of each level."""
    if not levels:
        return "No findings."
    labels = dict.fromkeys(level.label for level in Level)
    counts = [
        counted(levels.count(label), label)
        for label in labels
        if label in levels
    ]
    return f"Found {', '.join(counts) or len(levels)}."
