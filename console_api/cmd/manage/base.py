# SPDX-License-Identifier: Apache-2.0
"""What all commands of ``console-api-manage`` share."""

import argparse
import contextlib
from collections.abc import Callable, Iterator

from cliff import command
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
)

from console_api import errors
from console_api.cmd.manage.app import USAGE_ERROR, ManageApp

#: Takes the number of steps done, and the number of all steps.
UpdateProgress = Callable[[int, int], None]


class UsageError(errors.ConsoleAPIError):
    """Arguments that are right by themselves, but not together."""


class ManageCommand(command.Command):
    """A command whose errors are one line that says what to do.

    It comes before cliff's ``Lister`` and ``ShowOne`` among the bases.
    """

    app: ManageApp

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Make a parser whose errors are not buried below its usage."""
        parser = super().get_parser(prog_name)
        parser.print_usage = _print_nothing  # type: ignore[method-assign]
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command; cliff prints the text of what it raises."""
        try:
            return super().run(parsed_args)
        except UsageError as error:
            self.app.LOG.error(error)  # noqa: TRY400 (nothing to trace)
            return USAGE_ERROR
        except BrokenPipeError:
            raise
        except Exception as error:
            raise explained(error) from error

    @contextlib.contextmanager
    def progress(self, description: str) -> Iterator[UpdateProgress]:
        """Show a progress bar, on a terminal and without ``--quiet``.

        :returns: a function that updates the bar
        """
        stream = self.app.stderr
        is_quiet = self.app.options.verbose_level == 0
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            MofNCompleteColumn(),
            console=Console(file=stream),
            transient=True,
            disable=is_quiet or not stream.isatty(),
        ) as bar:
            task = bar.add_task(description, total=None)
            yield lambda done, total: bar.update(
                task, completed=done, total=total
            )

    def say(self, text: str) -> None:
        """Print what was done."""
        self.app.stdout.write(f"{text}\n")


def explained(error: Exception) -> errors.ConsoleAPIError:
    """Return an error whose text a person at a terminal can act on.

    An operator may know what a user of the API may not: why the database
    does not answer.  Only the first line of what a library says is shown;
    the others may hold a statement with its values.
    """
    if isinstance(error, errors.DatabaseUnavailable) and error.__cause__:
        return errors.ConsoleAPIError(
            f"{error} It said: {_first_line(error.__cause__)}"
        )
    if isinstance(error, errors.ConsoleAPIError):
        return error
    if isinstance(error, OSError) and error.filename:
        return errors.ConsoleAPIError(
            f"{error.filename}: {error.strerror}. Run the command as a user "
            "who may do that."
        )
    return errors.ConsoleAPIError(
        f"Unexpected {type(error).__name__}: {_first_line(error)}. Run the "
        "command again with --debug to see where it comes from."
    )


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "").rstrip(".")


def _print_nothing(file: object = None) -> None:
    del file
