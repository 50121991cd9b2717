# SPDX-License-Identifier: Apache-2.0
"""What all commands of ``console-api-manage`` have in common."""

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
)

from console_api import errors
from console_api.cmd import commands
from console_api.cmd.manage.app import ManageApp

#: Takes the number of steps done, and the number of all steps.
UpdateProgress = Callable[[int, int], None]


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


class DisplayCommand(ManageCommand, commands.DisplayCommand):
    """A command that prints columns, with ``Lister`` or ``ShowOne``."""


def advised(error: errors.ConsoleAPIError, advice: str) -> errors.Conflict:
    """Return an error of the database with what to do on the command line."""
    return errors.Conflict(f"{error} {advice}")
