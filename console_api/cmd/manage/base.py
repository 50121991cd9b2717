# SPDX-License-Identifier: Apache-2.0
"""What all commands of ``console-api-manage`` have in common."""

import argparse
import contextlib
from collections.abc import Callable, Iterator
from typing import ClassVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
)

from console_api import errors, values
from console_api.cmd import commands
from console_api.cmd.arguments import argument, number
from console_api.cmd.manage.app import ManageApp

#: Takes the number of steps done, and the number of all steps.
UpdateProgress = Callable[[int, int], None]

# Well below the number of values that databases take in one statement.
_MAX_BATCH_SIZE = 10_000


class ManageCommand(commands.Command):
    """A command with a database and a progress bar."""

    app: ManageApp

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
                task, completed=done, total=total, refresh=True
            )


class BatchCommand(ManageCommand):
    """A command that deletes rows in batches."""

    #: What it deletes.
    ITEMS: ClassVar[str]

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the batch size."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--batch-size",
            type=argument(_batch_size),
            default=1000,
            metavar="N",
            help=f"The number of {self.ITEMS} to delete, and so to lock, in "
            f"one transaction: 1 to {_MAX_BATCH_SIZE}. (default: %(default)s)",
        )
        return parser


class DisplayCommand(ManageCommand, commands.DisplayCommand):
    """A command that prints columns, with ``Lister`` or ``ShowOne``."""


def advised(error: errors.ConsoleAPIError, advice: str) -> errors.Conflict:
    """Return an error of the database with what to do on the command line."""
    return errors.Conflict(f"{error} {advice}")


def _batch_size(text: str) -> int:
    size = number(text)
    if isinstance(size, str) or not 1 <= size <= _MAX_BATCH_SIZE:
        raise ValueError(
            f"must be a number from 1 to {_MAX_BATCH_SIZE}, not "
            f"{values.quoted(size)}"
        )
    return size
