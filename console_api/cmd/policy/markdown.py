# SPDX-License-Identifier: Apache-2.0
"""Tables in Markdown, for cliff."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from cliff import columns
from cliff.formatters import base


class MarkdownFormatter(base.ListFormatter):
    """Prints a table as GitHub's Markdown has them."""

    def add_argument_group(self, parser: argparse.ArgumentParser) -> None:
        """Add no option."""

    def emit_list(
        self,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
        stdout: TextIO,
        parsed_args: argparse.Namespace,  # noqa: ARG002 (part of the contract)
    ) -> None:
        """Print the rows."""
        _print_row(stdout, column_names)
        _print_row(stdout, ["---"] * len(column_names))
        for row in data:
            _print_row(stdout, map(_text, row))


def _text(value: object) -> str:
    if isinstance(value, columns.FormattableColumn):
        value = value.human_readable()
    return str(value).replace("|", r"\|").replace("\n", "<br>")


def _print_row(stdout: TextIO, cells: Iterable[str]) -> None:
    stdout.write(f"| {' | '.join(cells)} |\n")
