# SPDX-License-Identifier: Apache-2.0
"""``console-api-policy test``: whether a policy meets expectations."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cliff import columns as cliff_columns

from console_api.cmd.application import FAILURE
from console_api.cmd.commands import Table, UsageError
from console_api.cmd.policy import columns, subjects
from console_api.cmd.policy.base import ListCommand
from console_api.cmd.policy.columns import SERVERS, Text
from console_api.cmd.policy.subjects import Subject
from console_api.cmd.policy.tester import Failure, Tester
from console_api.policy import expectations, sources
from console_api.policy.expectations import Expectation
from console_api.policy.sources import Source

# Widths of the columns of text, which fit in 100 columns together.
_NAME_WIDTH = 32
_FAILURES_WIDTH = 52


class Test(ListCommand):
    """Test whether a policy meets the expectations in a file.

    The file is a YAML list:

      - name: Only members see passwords.
        operation: GET /servers/{server_id}/consoles/{console_id}
        servers: own
        allowed: [member, manager, admin]
        refused: [reader]
        only: [member, manager, admin]

    The exit status is 1 if an expectation is not met, and 2 if a file cannot
    be used.

    Example:
      console-api-policy test --policy policy.yaml policy-tests.yaml
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return a parser of the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "file",
            metavar="FILE",
            type=Path,
            help="The file with the expectations.",
        )
        self.add_policy(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Return a row for each expectation.

        :raises TooComplexError: the rules cannot be decided
        """
        source = self.source(parsed_args)
        path: Path = parsed_args.file
        expected = expectations.read(path, sources.read(path))
        about = [_subjects(path, each, source) for each in expected]
        tester = Tester(source.checks, expected)
        rows: list[tuple[object, ...]] = []
        for each, subjects_of in zip(expected, about, strict=True):
            failures = list(tester.failures(each, subjects_of))
            if failures:
                self.status = FAILURE
            rows.append(
                (
                    Text(each.name, _NAME_WIDTH),
                    each.line,
                    Met(not failures),
                    Failures(failures),
                )
            )
        return ("name", "line", "met", "failures"), rows


class Met(cliff_columns.FormattableColumn[bool]):
    """Whether an expectation is met."""

    def human_readable(self) -> str:
        """Return a word."""
        return "yes" if self._value else "NO"


class Failures(cliff_columns.FormattableColumn[Sequence[Failure]]):
    """What is not as expected."""

    def human_readable(self) -> str:
        """Return a sentence for each."""
        return "\n".join(
            columns.wrap(_sentence(each), _FAILURES_WIDTH)
            for each in self._value
        )

    def machine_readable(self) -> Any:
        """Return an object for each."""
        return [
            {
                "rule": each.rule,
                "servers": SERVERS[each.is_own],
                "expected": each.key,
                "allowed": each.is_allowed,
                "callers": list(map(columns.data, each.callers)),
                "missing": list(map(columns.data, each.lacking)),
            }
            for each in self._value
        ]


def _sentence(failure: Failure) -> str:
    servers = SERVERS[failure.is_own]
    place = failure.rule
    if failure.is_own is not None:
        place += f", {servers} servers"
    callers = "; ".join(map(str, failure.callers))
    if failure.key == "only":
        return f"{place}: allowed, too: {callers}"
    if failure.is_allowed is None:
        return f"{place}: another server decides on {callers}"
    text = f"{place}: {callers} is "
    if failure.is_allowed:
        return f"{text}allowed"
    lacking = " or ".join(map(str, failure.lacking))
    return f"{text}refused" + (f"; lacks {lacking}" if lacking else "")


def _subjects(
    path: Path, expectation: Expectation, source: Source
) -> list[Subject]:
    """Return what an expectation is about.

    :raises UsageError: there is no such operation or rule
    """
    try:
        return [subjects.find(text, source) for text in expectation.subjects]
    except UsageError as error:
        raise UsageError(f"{path}:{expectation.line}: {error}") from error
