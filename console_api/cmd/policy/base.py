# SPDX-License-Identifier: Apache-2.0
"""What all commands of ``console-api-policy`` have in common."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from cliff import columns, lister

from console_api import errors
from console_api.cmd import commands
from console_api.cmd.application import USAGE_ERROR
from console_api.cmd.policy.app import PolicyApp
from console_api.cmd.policy.columns import TABLES
from console_api.policy import sources
from console_api.policy.sources import Source

# The formats of cliff that cannot represent lists and objects.
_FLAT_FORMATS = {"csv", "shell", "value"}


class PolicyCommand(commands.Command):
    """A command whose status 1 is an answer, and never a mistake."""

    app: PolicyApp
    error_status = USAGE_ERROR

    #: The exit status; 1 if the answer is no.
    status = 0

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return a parser that keeps the lines of examples."""
        parser = super().get_parser(prog_name)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command.

        :returns: the exit status; 2 if an argument or a file cannot be used
        """
        try:
            return super().run(parsed_args) or self.status
        except errors.ConsoleAPIError as error:
            self.app.LOG.error(error)  # noqa: TRY400 (no bug to trace)
            return self.error_status

    def add_policy(self, parser: argparse.ArgumentParser) -> None:
        """Add the option that chooses the policy."""
        parser.add_argument(
            "--policy",
            metavar="SOURCE",
            help="The policy to examine: a policy file, a configuration "
            f'folder, or "{sources.DEFAULTS}". (default: the policy of the '
            "configuration, see --config-dir)",
        )

    def source(self, parsed_args: argparse.Namespace) -> Source:
        """Return the policy that the option chooses.

        :raises BrokenPolicy: the service would not use it
        :raises ConfigurationError: the configuration cannot be used
        :raises OSError: a file cannot be read
        """
        if parsed_args.policy is not None:
            return sources.load(parsed_args.policy)
        return sources.of_conf(self.app.conf)


class DisplayCommand(PolicyCommand, commands.DisplayCommand):
    """A command that prints columns, with ``Lister`` or ``ShowOne``."""

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[Any],
    ) -> int:
        """Print the columns.

        Formats without structure get the text that people read.

        :raises InvalidInput: an option names an unknown column
        """
        if parsed_args.formatter in _FLAT_FORMATS:
            data = [_flatten(each) for each in data]
        return super().produce_output(parsed_args, column_names, data)


class ListCommand(DisplayCommand, lister.Lister):
    """A command that prints a table, on request in Markdown.

    ``no_rows`` is the sentence that people see in place of an empty table.
    """

    no_rows = ""

    @property
    def formatter_namespace(self) -> str:
        """The formats of tables, Markdown included."""
        return "console_api.policy.tables"

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[Any],
    ) -> int:
        """Print the rows, or that there are none.

        :raises InvalidInput: an option names an unknown column
        """
        rows = list(data)
        if not rows and self.no_rows and parsed_args.formatter in TABLES:
            self.say(self.no_rows)
            return 0
        return super().produce_output(parsed_args, column_names, rows)


def _flatten(value: Any) -> Any:
    """Return a value, or the values of a row, on one line each."""
    if isinstance(value, columns.FormattableColumn):
        return " ".join(value.human_readable().split())
    if isinstance(value, tuple):
        return tuple(map(_flatten, value))
    return value
