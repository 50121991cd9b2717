# SPDX-License-Identifier: Apache-2.0
"""``openstack server console``: consoles of a server."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from openstack import exceptions as sdk_exceptions
from osc_lib.command import command

from console_api_client.osc import wait
from console_api_client.osc.base import (
    OneConsoleCommand,
    ServerCommand,
    Table,
)
from console_api_client.sdk import Console

_LIST_COLUMNS = ("ID", "Console Type")
_CREATE_COLUMNS = ("id", "console_type", "host", "port")
_SHOW_COLUMNS = (*_CREATE_COLUMNS, "instance_name")
_STATE_COLUMNS = ("state", "reason", "expires_at")


class ListConsole(ServerCommand, command.Lister):
    """List the consoles of a server."""

    example = "server console list web-1"

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Return the consoles."""
        server_id = self.find_server_id(parsed_args.server)
        rows = [
            (console.id, console.console_type)
            for console in self.console.server_consoles(server_id)
        ]
        if not rows:
            self.require_server(parsed_args.server, server_id)
        return _LIST_COLUMNS, rows


class CreateConsole(ServerCommand, command.ShowOne):
    """Create a console for a server, and show it.

    Nothing changes if the server already has a usable console.
    """

    example = "server console create --wait web-1"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        _add_show_password(parser)
        parser.add_argument(
            "--wait",
            action="store_true",
            help="Wait until the console host serves the console",
        )
        wait.add_timeout(parser, "; ignored without --wait")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Create the console and return it."""
        server_id = self.find_server_id(parsed_args.server)
        console = self.console.create_console(server_id)
        if parsed_args.wait:
            console = self.console.wait_for_console(
                server_id, console, wait=parsed_args.timeout
            )
        return _shown(console, _CREATE_COLUMNS, parsed_args)


class ShowConsole(OneConsoleCommand, command.ShowOne):
    """Show a console and, if known, its state."""

    example = "server console show web-1"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the option."""
        parser = super().get_parser(prog_name)
        _add_show_password(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Return the console."""
        console = self.find_console(parsed_args)
        columns, values = _shown(console, _SHOW_COLUMNS, parsed_args)
        state = self._state(console)
        return (*columns, *state), (*values, *state.values())

    def _state(self, console: Console) -> Mapping[str, object]:
        """Return what the service reports about the console."""
        try:
            found = self.console.find_state(console.server_id, console)
        except sdk_exceptions.HttpException:
            # The console itself has been found.
            found = None
        if found is None:
            return {}
        return {name: found[name] for name in _STATE_COLUMNS if found[name]}


class DeleteConsole(ServerCommand):
    """Delete consoles of a server."""

    example = "server console delete web-1 7"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the consoles."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "consoles",
            metavar="<console>",
            type=int,
            nargs="+",
            help="Console(s) to delete (ID)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Delete the consoles; continue if one fails."""
        server_id = self.find_server_id(parsed_args.server)
        self.delete_each(
            "console",
            parsed_args.consoles,
            lambda number: self.console.delete_console(server_id, number),
        )


def _add_show_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--show-password",
        action="store_true",
        help="Show the password; to keep it off the screen, use openstack "
        "server console password",
    )


def _shown(
    console: Console,
    columns: tuple[str, ...],
    parsed_args: argparse.Namespace,
) -> tuple[tuple[str, ...], tuple[object, ...]]:
    if parsed_args.show_password:
        columns = (*columns, "password")
    return columns, tuple(console[name] for name in columns)
