# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage console-host``: hosts that serve consoles."""

import argparse
from collections.abc import Callable

from console_api import errors, values
from console_api.cmd import arguments
from console_api.cmd.arguments import argument
from console_api.cmd.commands import UsageError
from console_api.cmd.manage.base import ManageCommand, advised
from console_api.cmd.manage.endpoints import Row
from console_api.consoles import types
from console_api.db import console_host_deletion, console_hosts
from console_api.db.console_hosts import ConsoleHostChanges, NewConsoleHost


class Create(ManageCommand):
    """Register a console host, or another console type of one."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the values of a console host."""
        parser = super().get_parser(prog_name)
        add_identity(parser, types.check)
        _add_properties(parser, creating=True)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Store the console host."""
        host = NewConsoleHost(
            host=parsed_args.host,
            console_type=parsed_args.console_type,
            public_hostname=parsed_args.public_hostname or parsed_args.host,
            compute_hosts=_patterns(parsed_args) or ("*",),
            enabled=parsed_args.enabled is not False,
            **parsed_args.ports,
        )
        try:
            console_hosts.insert(self.app.database, host)
        except errors.AlreadyExists as error:
            advice = "Change it with `console-host set`."
            raise advised(error, advice) from error


class Set(ManageCommand):
    """Change a console host.

    Ports in use by consoles cannot be removed. A disabled console host gets
    no new consoles and keeps those it has.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the values that can change."""
        parser = super().get_parser(prog_name)
        add_identity(parser)
        _add_properties(parser, creating=False)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Store the changes."""
        changed = _changes(parsed_args)
        if not changed:
            raise UsageError(
                "Nothing to change. Use an option such as --disable."
            )
        if not console_hosts.update(
            self.app.database,
            parsed_args.host,
            parsed_args.console_type,
            changed,
        ):
            raise not_found(parsed_args)


class Delete(ManageCommand):
    """Delete a console host."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the console host and what happens to its consoles."""
        parser = super().get_parser(prog_name)
        add_identity(parser)
        parser.add_argument(
            "--with-consoles",
            action="store_true",
            help="Delete its consoles too. Without this option, a console "
            "host with consoles is not deleted.",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Delete the console host."""
        delete = (
            console_host_deletion.delete_with_consoles
            if parsed_args.with_consoles
            else console_host_deletion.delete
        )
        try:
            found = delete(
                self.app.database, parsed_args.host, parsed_args.console_type
            )
        except errors.Conflict as error:
            advice = "Delete them first, or add --with-consoles."
            raise advised(error, advice) from error
        if not found:
            raise not_found(parsed_args)


def add_identity(
    parser: argparse.ArgumentParser,
    check_type: Callable[[object], str] = values.console_type,
) -> None:
    """Add the name of a console host and its console type.

    :param check_type: returns a valid console type, see ``values``
    """
    parser.add_argument(
        "host",
        metavar="HOST",
        type=argument(values.host),
        help="The name of the console host.",
    )
    parser.add_argument(
        "--type",
        dest="console_type",
        type=argument(check_type),
        default=values.CONSOLE_HOST_TYPES[0],
        help="The type of its consoles. (default: %(default)s)",
    )


def _add_properties(
    parser: argparse.ArgumentParser, *, creating: bool
) -> None:
    host, patterns, enabled = (
        (" (default: HOST)", "(default: *, all of them)", " (default)")
        if creating
        else ("", "Replaces the present patterns.", "")
    )
    parser.add_argument(
        "--public-hostname",
        type=argument(values.host),
        help=f"The name or address that users connect to.{host}",
    )
    parser.add_argument(
        "--compute-host",
        dest="patterns",
        metavar="PATTERN",
        action="append",
        type=argument(values.pattern),
        help="A shell pattern of the compute hosts to serve. Can be "
        f"repeated. {patterns}",
    )
    _add_ports(parser, required=creating)
    switch = parser.add_mutually_exclusive_group()
    switch.add_argument(
        "--enable",
        dest="enabled",
        action="store_true",
        default=None,
        help=f"Place new consoles on it.{enabled}",
    )
    switch.add_argument(
        "--disable",
        dest="enabled",
        action="store_false",
        default=None,
        help="Place no new consoles on it and keep those it has.",
    )


def _add_ports(parser: argparse.ArgumentParser, *, required: bool) -> None:
    ports = parser.add_mutually_exclusive_group(required=required)
    ports.add_argument(
        "--ports",
        metavar="MIN-MAX",
        type=argument(_port_range),
        help="A range of ports, one port per console.",
    )
    ports.add_argument(
        "--multiplex-port",
        dest="ports",
        metavar="PORT",
        type=argument(_multiplex_port),
        help="One port that all consoles share.",
    )


def _port_range(text: str) -> Row:
    ports = values.port_range(text)
    return {
        "min_port": ports[0],
        "max_port": ports[-1],
        "multiplex_port": None,
    }


def _multiplex_port(text: str) -> Row:
    return {
        "min_port": None,
        "max_port": None,
        "multiplex_port": arguments.port(text),
    }


def _changes(parsed_args: argparse.Namespace) -> ConsoleHostChanges:
    changes: ConsoleHostChanges = {}
    if parsed_args.ports is not None:
        changes.update(parsed_args.ports)
    if parsed_args.public_hostname is not None:
        changes["public_hostname"] = parsed_args.public_hostname
    if parsed_args.enabled is not None:
        changes["enabled"] = parsed_args.enabled
    if parsed_args.patterns:
        changes["compute_hosts"] = _patterns(parsed_args)
    return changes


def _patterns(parsed_args: argparse.Namespace) -> tuple[str, ...]:
    if not parsed_args.patterns:
        return ()
    try:
        return values.patterns(parsed_args.patterns)
    except ValueError as error:
        raise UsageError(f"--compute-host {error}.") from error


def not_found(parsed_args: argparse.Namespace) -> errors.ConsoleAPIError:
    """Return the error for a console host that is not stored."""
    error = errors.ConsoleHostNotFound(
        parsed_args.host, parsed_args.console_type
    )
    return advised(error, "See `console-host list`.")
