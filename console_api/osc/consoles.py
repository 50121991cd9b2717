# SPDX-License-Identifier: Apache-2.0
"""``openstack server console``: consoles of a server."""

import argparse
import functools
import time
from collections.abc import Iterable, Mapping
from typing import Any

from openstack import exceptions as sdk_exceptions
from osc_lib import exceptions
from osc_lib.command import command

from console_api.osc import wait
from console_api.osc.base import ServerCommand, Table
from console_api.osc.sdk import Console, ProjectConsole

# Without the password: lists end up in logs and tickets.
_LIST_COLUMNS = ("ID", "Console Type")
_SHOW_COLUMNS = (
    "id",
    "console_type",
    "host",
    "port",
    "password",
    "instance_name",
)


class ListConsole(ServerCommand, command.Lister):
    """List the consoles of a server.

    The list is empty if the server does not exist or is not visible to you.
    """

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Return the consoles."""
        server_id = self.find_server_id(parsed_args.server)
        return _table(Console.list(self.compute, server_id=server_id))


class CreateConsole(ServerCommand, command.Lister):
    """Create a console for a server, then list the consoles of the server.

    Nothing changes if the server already has a usable console.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the options for waiting."""
        parser = super().get_parser(prog_name)
        wait.add_options(
            parser, "the ports of the consoles listed accept connections"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Create the console and return all consoles of the server."""
        server_id = self.find_server_id(parsed_args.server)
        Console.new(server_id=server_id).create(self.compute)
        # The response is empty: only the list has the ID.
        consoles = list(Console.list(self.compute, server_id=server_id))
        if parsed_args.wait:
            deadline = time.monotonic() + parsed_args.timeout
            for console in consoles:
                self._wait(console, deadline)
        return _table(consoles)

    def _wait(self, console: Console, deadline: float) -> None:
        def is_open() -> bool:
            # Fetched each time: its host and port may change.
            console.fetch(self.compute)
            return _accepts(console, deadline)

        if not wait.until(is_open, deadline):
            raise exceptions.CommandError(
                f"Console {console.id} was created, but {console.host} port "
                f"{console.port} does not accept connections yet."
            )


class ShowConsole(ServerCommand, command.ShowOne):
    """Show a console with its password and, if known, its state."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the console."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "console",
            metavar="<console>",
            type=int,
            nargs="?",
            help="Console (ID); not needed if the server has only one",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Return the console."""
        server_id = self.find_server_id(parsed_args.server)
        console_id = parsed_args.console
        if console_id is None:
            console_id = self._only_one(server_id)
        console = _console(server_id, console_id)
        console.fetch(self.compute)
        shown = {name: console[name] for name in _SHOW_COLUMNS}
        shown.update(self._state(server_id, console_id))
        return tuple(shown), list(shown.values())

    def _state(self, server_id: str, console_id: int) -> Mapping[str, str]:
        """Return the state and reason; nothing if the API has none."""
        # The second query finds those of other projects.
        queries: tuple[dict[str, Any], ...] = ({}, {"all_projects": "true"})
        for query in queries:
            try:
                for console in ProjectConsole.list(
                    self.compute, server_id=server_id, **query
                ):
                    if str(console.id) == str(console_id):
                        return {
                            name: console[name]
                            for name in ("state", "reason")
                            if console[name]
                        }
            except sdk_exceptions.HttpException:
                break
        return {}

    def _only_one(self, server_id: str) -> int:
        found = [
            console.id
            for console in Console.list(self.compute, server_id=server_id)
        ]
        if not found:
            raise exceptions.CommandError(
                f"Server {server_id} has no console. To create one, run: "
                f"openstack server console create {server_id}"
            )
        if len(found) > 1:
            raise exceptions.CommandError(
                f"Server {server_id} has several consoles. Choose one of: "
                f"{', '.join(map(str, found))}"
            )
        return int(found[0])


class DeleteConsole(ServerCommand):
    """Delete consoles of a server."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the consoles and the options for waiting."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "consoles",
            metavar="<console>",
            type=int,
            nargs="+",
            help="Console(s) to delete (ID)",
        )
        wait.add_options(
            parser,
            "their ports no longer accept connections; a port shared with "
            "other consoles stays open",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Delete the consoles; continue if one fails."""
        server_id = self.find_server_id(parsed_args.server)
        deleted = []
        for console_id in parsed_args.consoles:
            console = _console(server_id, console_id)
            try:
                self._delete(console, fetch=parsed_args.wait)
            except sdk_exceptions.SDKException as error:
                self.log.error("Console %s: %s", console_id, error)  # noqa: TRY400
            else:
                deleted.append(console)
        failed = len(parsed_args.consoles) - len(deleted)
        if parsed_args.wait:
            failed += self._wait(deleted, parsed_args.timeout)
        if failed:
            raise exceptions.CommandError(
                f"Failed to delete {failed} of {len(parsed_args.consoles)} "
                "consoles."
            )

    def _delete(self, console: Console, *, fetch: bool) -> None:
        if fetch:
            # A deleted console has no host and port to connect to.
            console.fetch(self.compute)
        console.delete(self.compute)

    def _wait(self, deleted: Iterable[Console], timeout: int) -> int:
        """Wait for the ports to close and return how many stay open."""
        deadline = time.monotonic() + timeout
        failed = 0
        for console in deleted:
            is_closed = functools.partial(_refuses, console, deadline)
            if not wait.until(is_closed, deadline):
                self.log.error(
                    "Console %s was deleted, but %s port %s still accepts "
                    "connections.",
                    *(console.id, console.host, console.port),
                )
                failed += 1
        return failed


def _console(server_id: str, console_id: int) -> Console:
    # A string: the SDK treats the number 0 as no ID.
    return Console.existing(id=str(console_id), server_id=server_id)


def _accepts(console: Console, deadline: float) -> bool:
    return console.port is not None and wait.accepts(
        console.host, console.port, deadline
    )


def _refuses(console: Console, deadline: float) -> bool:
    return not _accepts(console, deadline)


def _table(
    consoles: Iterable[Console],
) -> Table:
    return _LIST_COLUMNS, [
        (console.id, console.console_type) for console in consoles
    ]
