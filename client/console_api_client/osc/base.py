# SPDX-License-Identifier: Apache-2.0
"""Base classes of the commands: the service, the example, the server."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, TypeVar

from openstack import exceptions as sdk_exceptions
from openstack.compute.v2 import _proxy as compute_proxy
from osc_lib import exceptions
from osc_lib.command import command

from console_api_client.osc import plugin, refusals
from console_api_client.sdk import Console, Proxy
from console_api_client.viewers.base import ViewerError

_ID = TypeVar("_ID")

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

#: The names of columns and the rows, or the one row, of a command.
Table = tuple[Sequence[str], Iterable[object]]


class _Paragraphs(argparse.HelpFormatter):
    """Keeps the paragraphs of descriptions apart."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = super()._fill_text
        paragraphs = text.split("\n\n")
        return "\n\n".join(fill(part, width, indent) for part in paragraphs)


class ConsoleCommand(command.Command):
    """A command that calls the service."""

    #: Arguments that the help shows, from the name of the command on.
    example: ClassVar[str]

    @property
    def console(self) -> Proxy:
        """The service of the cloud that the options name."""
        proxy: Proxy = getattr(self.app.client_manager, plugin.API_NAME)
        return proxy

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Create the parser of the command."""
        parser = super().get_parser(prog_name)
        # cliff's formatter wraps the help of options.
        bases: Any = (_Paragraphs, parser.formatter_class)
        formatter: Any = type("Formatter", bases, {})
        parser.formatter_class = formatter
        return parser

    def get_epilog(self) -> str:
        """Return the example before what the client adds to each help."""
        return f"Example: openstack {self.example}\n\n{super().get_epilog()}"

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command; errors become messages that say what to do."""
        try:
            return int(super().run(parsed_args) or 0)
        except sdk_exceptions.SDKException as error:
            raise refusals.explain(error) from error
        except ViewerError as error:
            raise exceptions.CommandError(str(error)) from error

    def delete_each(
        self, noun: str, ids: Sequence[_ID], delete: Callable[[_ID], None]
    ) -> None:
        """Delete resources, also those after one that fails.

        :param noun: what they are, in the singular
        :raises CommandError: one or more could not be deleted
        """
        failed = 0
        for each in ids:
            try:
                delete(each)
            except sdk_exceptions.SDKException as error:
                message = refusals.explain(error)
                self.log.error("%s %s: %s", noun.capitalize(), each, message)  # noqa: TRY400
                failed += 1
        if failed:
            raise exceptions.CommandError(
                f"Failed to delete {failed} of {len(ids)} {noun}s."
            )


class ServerFinder(ConsoleCommand):
    """A command that looks up servers."""

    @property
    def compute(self) -> compute_proxy.Proxy:
        """The compute service, which knows the servers."""
        proxy: compute_proxy.Proxy = (
            self.app.client_manager.sdk_connection.compute
        )
        return proxy

    def find_server_id(self, name_or_id: str) -> str:
        """Return the UUID of a server; a UUID is returned without a request.

        :raises CommandError: no server has this name, or more than one
        """
        if not name_or_id:
            # Of a variable that is not set, for example. As a filter, it
            # would be no filter.
            raise exceptions.CommandError("Give the name or ID of a server.")
        if is_uuid(name_or_id):
            return name_or_id.lower()
        try:
            server = self.compute.find_server(name_or_id, ignore_missing=False)
        except sdk_exceptions.DuplicateResource as error:
            raise self._ambiguous(name_or_id) from error
        except sdk_exceptions.NotFoundException as error:
            if error.response is not None:
                raise _no_names(name_or_id, error) from error
            raise _not_found(name_or_id) from error
        found = str(server.id)
        if not is_uuid(found):
            # The SDK puts names such as `detail` or `..` into a path and
            # returns any resource there.
            raise _not_found(name_or_id)
        return found

    def _ambiguous(self, name: str) -> exceptions.CommandError:
        found = [
            str(server.id)
            for server in self.compute.servers(details=False, name=name)
            if server.name == name
        ]
        return exceptions.CommandError(
            f"{len(found)} servers have the name {name}. Give the ID of one: "
            f"{', '.join(sorted(found))}"
        )

    def require_server(self, given: str, server_id: str) -> bool:
        """Refuse a UUID that the compute service does not know.

        The service for consoles lists none for a server that does not exist.

        :returns: whether it is known that the server exists
        :raises CommandError: there is no such server
        """
        if not is_uuid(given):
            return True
        try:
            self.compute.get_server(server_id)
        except sdk_exceptions.NotFoundException as error:
            # Otherwise, this endpoint has no servers.
            if server_id in str(error.details):
                raise _not_found(given) from error
            return False
        return True


class ServerCommand(ServerFinder):
    """A command for the consoles of one server."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the server."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "server", metavar="<server>", help="Server (name or ID)"
        )
        return parser


class OneConsoleCommand(ServerCommand):
    """A command for one console of a server."""

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

    def find_console(self, parsed_args: argparse.Namespace) -> Console:
        """Return the console that the user has named, or the only one.

        :raises CommandError: none is named, and the server has none or several
        """
        given, console_id = parsed_args.server, parsed_args.console
        server_id = self.find_server_id(given)
        if console_id is None:
            console_id = self._only_console(given, server_id)
        return self.console.get_console(server_id, console_id)

    def _only_console(self, given: str, server_id: str) -> int:
        found = list(self.console.server_consoles(server_id))
        if not found:
            is_known = self.require_server(given, server_id)
            raise exceptions.CommandError(
                f"Server {given} has no console"
                f"{'' if is_known else ', or does not exist'}. To create one, "
                f"run: openstack server console create {given}"
            )
        if len(found) > 1:
            raise exceptions.CommandError(
                f"Server {given} has several consoles. Choose one of: "
                f"{', '.join(map(_describe, found))}"
            )
        return int(found[0].id)


def require_password(console: Console) -> str:
    """Return the password of a console.

    :raises CommandError: the service does not tell it
    """
    password = console.password
    if not isinstance(password, str):
        raise exceptions.CommandError(
            f"The service does not give the password of console {console.id}. "
            "Ask the operator of the cloud."
        )
    return password


def is_uuid(text: str) -> bool:
    """Return whether a text is a UUID, in lowercase or uppercase."""
    return _UUID.fullmatch(text.lower()) is not None


def _describe(console: Console) -> str:
    return f"{console.id} ({console.console_type})"


def _not_found(given: str) -> exceptions.CommandError:
    return exceptions.CommandError(
        f"No server with the name or ID {given} exists in this project, or "
        "you may not see it. To list those that you see, run: openstack "
        "server list"
    )


def _no_names(
    name: str, error: sdk_exceptions.NotFoundException
) -> exceptions.CommandError:
    return exceptions.CommandError(
        f"The compute service of this cloud cannot look up the name {name} "
        f"({str(error.details).rstrip('.')}). Give the ID of the server."
    )
