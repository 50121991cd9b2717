# SPDX-License-Identifier: Apache-2.0
"""``openstack console list``: consoles of a project."""

from __future__ import annotations

import argparse
from typing import Any

from osc_lib.command import command

from console_api_client.osc.base import ServerFinder, Table

_COLUMNS = {
    "ID": "id",
    "Server ID": "server_id",
    "Console Type": "console_type",
    "Host": "host",
    "Port": "port",
    "State": "state",
}
_LONG_COLUMNS = {
    **_COLUMNS,
    "Reason": "reason",
    "Console Host": "console_host",
    "Instance Name": "instance_name",
    "Project ID": "project_id",
    "Created At": "created_at",
    "Expires At": "expires_at",
}


class ListProjectConsole(ServerFinder, command.Lister):
    """List the consoles of a project."""

    example = "console list --state failed"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the filters."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--all-projects",
            action="store_true",
            help="List the consoles of all projects (admin only)",
        )
        parser.add_argument(
            "--server",
            metavar="<server>",
            help="List only consoles of this server (name or ID)",
        )
        parser.add_argument(
            "--host",
            metavar="<host>",
            help="List only consoles on this console host (name)",
        )
        parser.add_argument(
            "--state",
            choices=("serving", "pending", "failed", "unknown"),
            help="List only consoles in this state",
        )
        parser.add_argument(
            "--long", action="store_true", help="List additional columns"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Return the consoles."""
        query: dict[str, Any] = {}
        if parsed_args.all_projects:
            query["all_projects"] = "true"
        if parsed_args.server is not None:
            query["server"] = self.find_server_id(parsed_args.server)
        if parsed_args.host is not None:
            query["console_host"] = parsed_args.host
        if parsed_args.state:
            query["state"] = parsed_args.state
        columns = _LONG_COLUMNS if parsed_args.long else _COLUMNS
        return tuple(columns), [
            tuple(console[name] for name in columns.values())
            for console in self.console.consoles(**query)
        ]
