# SPDX-License-Identifier: Apache-2.0
"""``console-api-policy diff``: who gains and who loses by an edit."""

import argparse

from console_api.cmd.application import FAILURE
from console_api.cmd.commands import Table
from console_api.cmd.policy.base import ListCommand
from console_api.cmd.policy.columns import SERVERS, TABLES, ChangedColumn
from console_api.policy import reach, sources
from console_api.policy.reach import Change

_COLUMNS = ["change", "rule", "servers", "callers", "complete"]


class Diff(ListCommand):
    """Show who gains and who loses what between two policies.

    The policies are compared for all callers, not as texts.  Shown are those
    who gain or lose with the fewest roles; callers who have more may do so,
    too.

    The exit status is 1 with --fail-if-wider if anyone gains anything, and 2
    if a policy cannot be used or is too complex.

    Example:
      console-api-policy diff --fail-if-wider policy.yaml policy.yaml.new
    """

    no_rows = "No one gains or loses anything."

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return a parser of the options."""
        parser = super().get_parser(prog_name)
        for name in ("old", "new"):
            parser.add_argument(
                name,
                metavar=name.upper(),
                help="A policy file, a configuration folder, or "
                f'"{sources.DEFAULTS}".',
            )
        parser.add_argument(
            "--fail-if-wider",
            action="store_true",
            help="Exit with status 1 if anyone may do more than before.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Return one row for each operation that someone gains or loses.

        :raises TooComplexError: the policies cannot be compared
        """
        old = sources.load(parsed_args.old)
        new = sources.load(parsed_args.new)
        changes = sorted(
            reach.changes(old.checks, new.checks), key=lambda c: not c.is_gain
        )
        if parsed_args.fail_if_wider and any(c.is_gain for c in changes):
            self.status = FAILURE
        # Programs are told whether there are more; people see "and others".
        count = len(_COLUMNS) - (parsed_args.formatter in TABLES)
        return _COLUMNS[:count], [_row(change)[:count] for change in changes]


def _row(change: Change) -> list[object]:
    return [
        "gain" if change.is_gain else "loss",
        change.rule,
        SERVERS[change.is_own],
        ChangedColumn(change),
        change.audience.is_complete,
    ]
