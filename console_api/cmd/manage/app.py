# SPDX-License-Identifier: Apache-2.0
"""The application of ``console-api-manage``.

The commands are entry points in the namespace ``console_api.manage``.
"""

import argparse
import difflib
import functools
import importlib.metadata
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from cliff import app, command, commandmanager
from oslo_config import cfg

from console_api import conf as configuration
from console_api.cmd import arguments
from console_api.db import schema
from console_api.db.engine import Database

NAMESPACE = "console_api.manage"

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


class ManageApp(app.App):
    """The application, with what its commands share."""

    NAME = "console-api-manage"
    LOG = logging.getLogger(NAME)

    command_manager: CommandManager

    def __init__(self) -> None:
        """Find the commands, without loading them."""
        super().__init__(
            description="Manage the database, keys, servers and console "
            "hosts of console_api.",
            version=importlib.metadata.version("console-api"),
            command_manager=CommandManager(NAMESPACE),
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

    def configure_logging(self) -> None:
        """Log as cliff does, but never SQL statements with their values."""
        super().configure_logging()
        logging.getLogger("sqlalchemy").setLevel(logging.WARNING)
        if self.options.verbose_level <= self.DEFAULT_VERBOSE_LEVEL:
            logging.getLogger("alembic").setLevel(logging.WARNING)

    @functools.cached_property
    def conf(self) -> cfg.ConfigOpts:
        """The configuration.

        :raises ConfigurationError: it is missing or invalid
        """
        return configuration.load(
            configuration.config_dir(self.options.config_dir)
        )

    @functools.cached_property
    def database(self) -> Database:
        """The database, once its schema has been checked.

        :raises ConfigurationError: its schema is not up to date
        :raises DatabaseUnavailable: it is unavailable
        """
        schema.check(self.conf)
        return Database(self.conf)

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

    def clean_up(
        self,
        _cmd: command.Command,
        _result: int,
        _err: BaseException | None,
    ) -> None:
        """Close the connections to the database."""
        if "database" in vars(self):
            self.database.close()

    def interact(self) -> NoReturn:
        """Reject a command line without a command; no shell is started."""
        self.parser.error("a command is required; --help lists them")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program.

    :returns: its exit status
    """
    status = ManageApp().run(list(sys.argv[1:] if argv is None else argv))
    try:
        # At exit, Python would turn a failure into status 120.
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return status
