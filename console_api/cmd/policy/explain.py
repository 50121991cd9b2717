# SPDX-License-Identifier: Apache-2.0
"""``console-api-policy explain``: why a caller is allowed or refused."""

import argparse
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cliff import columns as cliff_columns
from cliff import show

from console_api.cmd.commands import Table
from console_api.cmd.policy import identity, subjects
from console_api.cmd.policy.base import DisplayCommand
from console_api.cmd.policy.columns import (
    Attributes,
    CallersColumn,
    Lines,
    Text,
    wrap,
)
from console_api.cmd.policy.explanation import Explanation

# What is missing if nothing suffices.
_NO_ADDITION = "No role or other attribute of a caller suffices."


class Explain(DisplayCommand, show.ShowOne):
    """Explain why a caller is allowed to perform an operation, or refused.

    Decides as the service does, without a request.  The exit status is 0 if
    the caller is allowed, 1 if not, and 2 if an argument or a policy file
    cannot be used.

    Example:
      console-api-policy explain --roles reader \\
          --operation 'POST /servers/{server_id}/consoles'
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return a parser of the options."""
        parser = super().get_parser(prog_name)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--operation",
            metavar="'METHOD PATH'",
            help="The operation, such as 'GET /os-consoles'. Variables of the "
            "path may have values.",
        )
        what.add_argument(
            "--rule",
            metavar="NAME",
            help="The rule of operations, or a base rule.",
        )
        parser.add_argument(
            "--server-project",
            metavar="ID",
            help="The project of the server. (default: that of the caller)",
        )
        identity.add_options(parser)
        self.add_policy(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Decide, and return the reasons."""
        caller = identity.from_options(parsed_args)
        source = self.source(parsed_args)
        explanation = Explanation(source, caller, parsed_args.server_project)
        if parsed_args.operation:
            operation = subjects.operation(parsed_args.operation)
            row = explanation.of_operations([operation])
        else:
            rule = subjects.rule(parsed_args.rule, source)
            row = explanation.of_rule(rule)
        self.status = 0 if row["allowed"] else 1
        shown = {
            name: _COLUMNS[name](value) if name in _COLUMNS else value
            for name, value in row.items()
        }
        if not row["allowed"]:
            shown["missing"] = CallersColumn(row["missing"], _NO_ADDITION)
        return tuple(shown), tuple(shown.values())


class Decided(cliff_columns.FormattableColumn[list[dict[str, Any]]]):
    """The rules that were asked, and what decided."""

    def human_readable(self) -> str:
        """Return a line for each rule, and one for each deciding check."""
        return "\n".join(
            line for decision in self._value for line in _lines(decision)
        )


_COLUMNS: Mapping[str, Callable[[Any], object]] = {
    "operations": Lines,
    "caller": Attributes,
    "status": Text,
    "response": Text,
    "decisions": Decided,
    "missing": CallersColumn,
}


def _lines(decision: dict[str, Any]) -> Iterator[str]:
    verb = {True: "passes", False: "fails", None: "cannot be evaluated"}
    end = ":" if decision["because"] else ""
    yield wrap(
        f"{decision['rule']} {verb[decision['allowed']]} on project "
        f"{decision['project']}{end}"
    )
    for part in decision["because"]:
        text = f"{part['check']} in {part['rule']} ({part['defined_in']})"
        yield textwrap.indent(wrap(text), "  ")
