# SPDX-License-Identifier: Apache-2.0
"""What the commands of all programs have in common."""

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from cliff import command, display

from console_api import errors
from console_api.cmd.application import FAILURE, USAGE_ERROR
from console_api.cmd.explain import explain

if TYPE_CHECKING:
    _DisplayCommandBase = display.DisplayCommandBase[Any]
else:
    # Not generic before cliff 4.13.
    _DisplayCommandBase = display.DisplayCommandBase

#: The names of columns and the rows, or the one row, of a command.
Table = tuple[Sequence[str], Iterable[object]]


class UsageError(errors.ConsoleAPIError):
    """Arguments are valid each by itself, but not together."""


class Command(command.Command):
    """A command that reports an operator's mistakes in one sentence.

    List it before cliff's ``Lister`` and ``ShowOne`` among the bases.
    """

    #: The exit status after an unexpected error.
    error_status = FAILURE

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return a parser that prints errors without the usage above them.

        It does not accept abbreviated options.
        """
        parser = super().get_parser(prog_name)
        parser.allow_abbrev = False
        parser.print_usage = _print_nothing  # type: ignore[method-assign]
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command.

        :returns: the exit status
        :raises ConsoleAPIError: something that an operator can cause; cliff
            prints its message
        """
        try:
            return super().run(parsed_args)
        except UsageError as error:
            self.app.LOG.error(error)  # noqa: TRY400 (no bug to trace)
            return USAGE_ERROR
        except BrokenPipeError:
            raise
        except (errors.ConsoleAPIError, OSError) as error:
            raise errors.ConsoleAPIError(explain(error)) from error
        except Exception:
            self.app.LOG.exception("Unexpected error. Report it as a bug.")
            return self.error_status

    def say(self, text: str) -> None:
        """Print what was done."""
        self.app.stdout.write(f"{text}\n")


class DisplayCommand(Command, _DisplayCommandBase):
    """A command that prints columns, with ``Lister`` or ``ShowOne``."""

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[object],
    ) -> int:
        """Print the columns.

        :raises InvalidInput: an option names an unknown column
        """
        # cliff ignores unknown columns, and fails if there are no others.
        chosen = (
            *parsed_args.columns,
            *getattr(parsed_args, "sort_columns", ()),
        )
        unknown = [
            column
            for column in dict.fromkeys(chosen)
            # As cliff compares them.
            if column.lower().strip().replace(" ", "_") not in column_names
        ]
        if unknown:
            raise errors.InvalidInput(
                f"Unknown columns: {', '.join(unknown)}. Choose from: "
                f"{', '.join(column_names)}."
            )
        return super().produce_output(parsed_args, column_names, data)  # type: ignore[safe-super]


def counted(count: int, noun: str) -> str:
    """Return a number with a noun, in the plural if need be."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _print_nothing(file: object = None) -> None:
    del file
