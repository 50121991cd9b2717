# SPDX-License-Identifier: Apache-2.0
"""``openstack console host``: hosts that serve consoles."""

from __future__ import annotations

import argparse

from cliff import columns
from osc_lib import exceptions
from osc_lib.cli import format_columns
from osc_lib.command import command

from console_api_client.osc.base import ConsoleCommand, Table
from console_api_client.sdk import ConsoleHost

_COLUMNS = {
    "Host": "host",
    "Console Type": "console_type",
    "Public Hostname": "public_hostname",
    "Compute Hosts": "compute_hosts",
    "Ports": "ports",
    "Ports Used": "ports_used",
    "Consoles": "consoles",
    "Served": "served",
    "Failed": "failed",
    "Enabled": "is_enabled",
    "State": "state",
    "Trouble": "trouble",
    "Version": "version",
    "Driver": "driver",
    "Last Seen At": "last_seen_at",
}


class Ports(columns.FormattableColumn):  # type: ignore[type-arg]
    """Ports of a console host, in tables a range or the shared port."""

    def human_readable(self) -> str:
        """Return the ports as a string."""
        if "multiplex" in self._value:
            return f"{self._value['multiplex']} (multiplexed)"
        return f"{self._value['min']}-{self._value['max']}"


_FORMATS = {"compute_hosts": format_columns.ListColumn, "ports": Ports}


class ListConsoleHost(ConsoleCommand, command.Lister):
    """List the console hosts (admin only)."""

    example = "console host list"

    def take_action(self, _parsed_args: argparse.Namespace) -> Table:
        """Return the console hosts."""
        return tuple(_COLUMNS), map(_row, self.console.console_hosts())


class ConsoleHostCommand(ConsoleCommand):
    """A command for one console host."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the console host."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "host", metavar="<host>", help="Console host (name)"
        )
        parser.add_argument(
            "--type",
            metavar="<console-type>",
            help="Console type; not needed if the console host has only one",
        )
        return parser

    def find_type(self, parsed_args: argparse.Namespace) -> str:
        """Return the console type of the console host.

        :raises CommandError: it has several, or does not exist
        """
        if parsed_args.type:
            return str(parsed_args.type)
        types = [
            host.console_type
            for host in self.console.console_hosts()
            if host.host == parsed_args.host
        ]
        if not types:
            raise exceptions.CommandError(
                f"No console host has the name {parsed_args.host}. To list "
                "them, run: openstack console host list"
            )
        if len(types) > 1:
            raise exceptions.CommandError(
                f"Console host {parsed_args.host} has several console types. "
                f"Choose one with --type: {', '.join(types)}"
            )
        return str(types[0])


class ShowConsoleHost(ConsoleHostCommand, command.ShowOne):
    """Show a console host (admin only)."""

    example = "console host show console-1"

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Return the console host."""
        console_type = self.find_type(parsed_args)
        host = self.console.get_console_host(parsed_args.host, console_type)
        names = (name.lower().replace(" ", "_") for name in _COLUMNS)
        return tuple(names), _row(host)


class SetConsoleHost(ConsoleHostCommand):
    """Change a console host (admin only)."""

    example = "console host set --disable console-1"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add what to change."""
        parser = super().get_parser(prog_name)
        change = parser.add_mutually_exclusive_group(required=True)
        change.add_argument(
            "--enable",
            dest="is_enabled",
            action="store_true",
            help="Enable the console host: it gets new consoles",
        )
        change.add_argument(
            "--disable",
            dest="is_enabled",
            action="store_false",
            help="Disable the console host: it gets no new consoles and keeps "
            "those it has",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Change the console host."""
        self.console.update_console_host(
            parsed_args.host,
            self.find_type(parsed_args),
            is_enabled=parsed_args.is_enabled,
        )


def _row(host: ConsoleHost) -> tuple[object, ...]:
    return tuple(
        _FORMATS.get(name, _plain)(host[name]) for name in _COLUMNS.values()
    )


def _plain(value: object) -> object:
    return value
