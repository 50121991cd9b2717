# SPDX-License-Identifier: Apache-2.0
"""Programs that consist of commands, such as ``console-api-manage``.

The commands are entry points in a namespace of the program.
"""

import argparse
import difflib
import functools
import importlib.metadata
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from cliff import app, command, commandmanager
from oslo_config import cfg

from console_api import conf as configuration
from console_api.cmd import arguments

# Exit statuses: the command failed; its arguments are invalid; its output was
# closed, as shells report SIGPIPE.
FAILURE = 1
USAGE_ERROR = 2
BROKEN_PIPE = 141


class CommandManager(commandmanager.CommandManager):
    """Finds commands by their full names only.

    ``s d`` must not delete a server.
    """

    def find_command(
        self, argv: list[str]
    ) -> tuple[type[command.Command], str, list[str]]:
        """Return the command that a command line begins with.

        :returns: the command, its name, and its arguments
        :raises ValueError: there is none; an abbreviation is not accepted
        """
        found = super().find_command(argv)
        if found[1] not in self.commands:
            raise ValueError(f"Unknown command: {found[1]}")
        return found

    def similar_names(self, argv: Sequence[str]) -> Sequence[str]:
        """Return the commands that a wrong command line may mean."""
        names = sorted(self.commands)
        abbreviated = [
            name
            for name in names
            if all(map(str.startswith, name.split(), argv))
        ]
        return abbreviated or difflib.get_close_matches(
            " ".join(argv[:2]), names
        )


class Application(app.App):
    """A program, with what all its commands share."""

    NAME: str
    NAMESPACE: str
    DESCRIPTION: str

    command_manager: CommandManager

    def __init__(self) -> None:
        """Find the commands, without loading them."""
        self.LOG = logging.getLogger(self.NAME)
        super().__init__(
            description=self.DESCRIPTION,
            version=importlib.metadata.version("console-api"),
            command_manager=CommandManager(self.NAMESPACE),
            # Otherwise --help after a command shows the help of the program.
            deferred_help=True,
        )

    def build_option_parser(
        self,
        description: str | None,
        version: str | None,
        argparse_kwargs: dict[str, Any] | None = None,
    ) -> argparse.ArgumentParser:
        """Add our options to those of cliff."""
        # An option of a command is not an abbreviation of a global one.
        parser = super().build_option_parser(
            description,
            version,
            {**(argparse_kwargs or {}), "allow_abbrev": False},
        )
        arguments.add_config_dir(parser)
        return parser

    @functools.cached_property
    def conf(self) -> cfg.ConfigOpts:
        """The configuration.

        :raises ConfigurationError: it is missing or invalid
        """
        return configuration.load(
            configuration.config_dir(self.options.config_dir)
        )

    def run_subcommand(self, argv: list[str]) -> int:
        """Run a command; report an unknown one on stderr."""
        try:
            self.command_manager.find_command(argv)
        except ValueError:
            similar = ", ".join(self.command_manager.similar_names(argv))
            self.LOG.error(  # noqa: TRY400 (no bug to trace)
                "Unknown command: %s.%s To list all commands, run: %s --help",
                " ".join(argv),
                f" Similar commands: {similar}." if similar else "",
                self.NAME,
            )
            return USAGE_ERROR
        return super().run_subcommand(argv)

    def interact(self) -> NoReturn:
        """Reject a command line without a command; no shell is started."""
        self.parser.error("a command is required; --help lists them")


def run(
    application: Callable[[], Application], argv: Sequence[str] | None
) -> int:
    """Run a program.

    :param argv: its arguments; those of the process, if None
    :returns: its exit status
    """
    if sys.stdout is None:
        # It was closed (>&-); the libraries expect that it is open.
        return USAGE_ERROR
    status = application().run(list(sys.argv[1:] if argv is None else argv))
    try:
        # At exit, Python would turn a failure into status 120.
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return status
