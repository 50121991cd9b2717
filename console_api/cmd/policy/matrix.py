# SPDX-License-Identifier: Apache-2.0
"""``console-api-policy matrix``: which persona may do what."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from console_api import conf as configuration
from console_api.cmd.commands import Table
from console_api.cmd.policy.base import ListCommand
from console_api.cmd.policy.columns import SERVERS, TABLES
from console_api.policy import matrix, sources
from console_api.policy.findings import printable
from console_api.policy.matrix import Row
from console_api.policy.sources import Source

# Of all names, and so the header of their column.
_PREFIX = "os_compute_api:"

# What cells of the table contain, and what is next to an arrow.
_CELLS = {True: "yes", False: "-", None: "?"}
_CHANGES = {True: "yes", False: "no", None: "?"}

_LEGEND = """\
own: servers of the caller's project; other: servers of other projects
* differs from the default; ? depends on the response of another server
"""


class Matrix(ListCommand):
    """Show which persona may perform which operation.

    Besides the personas, there is a column for each role that the policy files
    name.

    Example:
      console-api-policy matrix --pending policy.yaml.new
    """

    no_rows = "Nothing changes for these roles."

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return a parser of the options."""
        parser = super().get_parser(prog_name)
        self.add_policy(parser)
        parser.add_argument(
            "--pending",
            metavar="FILE",
            type=Path,
            help='Show what would change, as in "no -> yes", if this file '
            "replaced the policy file. Files of policy directories stay.",
        )
        parser.add_argument(
            "--changed",
            action="store_true",
            help="Show only operations that the pending file would change, or "
            "without one, those that differ from the defaults.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Return the rows.

        :raises TooComplexError: the policies cannot be decided
        """
        source = self.source(parsed_args)
        policies = [sources.load(sources.DEFAULTS).checks, source.checks]
        if parsed_args.pending is not None:
            policies.append(self._pending(parsed_args).checks)
        rows = matrix.rows(policies)
        show = _wide if parsed_args.formatter in TABLES else _long
        is_shown = _is_changed if parsed_args.changed else None
        return show(rows[0], filter(is_shown, rows))

    def _pending(self, parsed_args: argparse.Namespace) -> Source:
        pending: Path = parsed_args.pending
        chosen = parsed_args.policy
        if chosen is None:
            return sources.with_pending(self.app.conf, pending)
        if Path(chosen).is_dir():
            return sources.with_pending(configuration.load(chosen), pending)
        return sources.load(str(pending))

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[object],
    ) -> int:
        """Print the rows, and what the marks mean."""
        rows = list(data)
        status = super().produce_output(parsed_args, column_names, rows)
        if rows and parsed_args.formatter == "table":
            self.app.stdout.write(_LEGEND)
        return status


def _is_changed(row: Row) -> bool:
    """Return whether the last two policies differ."""
    return any(each[-2] != each[-1] for each in row.allowed.values())


def _wide(sample: Row, rows: Iterable[Row]) -> Table:
    personas = list(sample.allowed)
    return [_PREFIX, "servers", *map(printable, personas)], [
        [
            row.rule.removeprefix(_PREFIX),
            SERVERS[row.is_own],
            *(_cell(row.allowed[persona]) for persona in personas),
        ]
        for row in rows
    ]


def _cell(decisions: Sequence[bool | None]) -> str:
    """Return a cell: by default, now and, if that is the question, then."""
    default, now, *then = decisions
    if then and then != [now]:
        return f"{_CHANGES[now]} -> {_CHANGES[then[0]]}"
    return _CELLS[now] + (" *" if now != default else "")


def _long(sample: Row, rows: Iterable[Row]) -> Table:
    names = ["default", "allowed", "pending"]
    count = len(next(iter(sample.allowed.values())))
    return ["rule", "servers", "persona", *names[:count]], [
        [row.rule, SERVERS[row.is_own], persona, *decisions]
        for row in rows
        for persona, decisions in row.allowed.items()
    ]
