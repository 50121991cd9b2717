# SPDX-License-Identifier: Apache-2.0
"""``openstack console session``: who is connected to which screen."""

from __future__ import annotations

import argparse
from typing import Any

from osc_lib import exceptions
from osc_lib.command import command

from console_api_client.osc.base import (
    ConsoleCommand,
    ServerFinder,
    Table,
    is_uuid,
)

_COLUMNS = {
    "ID": "id",
    "Server ID": "server_id",
    "User ID": "user_id",
    "Console Type": "console_type",
    "Client Address": "client_address",
    "State": "state",
    "Connected At": "connected_at",
}
_LONG_COLUMNS = {
    **_COLUMNS,
    "View Only": "is_view_only",
    "Gateway": "gateway",
    "Proxy Address": "proxy_address",
    "Project ID": "project_id",
    "Bytes In": "bytes_in",
    "Bytes Out": "bytes_out",
    "Last Activity At": "last_activity_at",
    "Created At": "created_at",
    "Closed At": "closed_at",
    "Close Reason": "close_reason",
    "Resumed From": "resumed_from",
}


class ListSession(ServerFinder, command.Lister):
    """List the sessions of a project, by default those that are open."""

    example = "console session list --server web-1"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the filters."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--all-projects",
            action="store_true",
            help="List the sessions of all projects (admin only)",
        )
        parser.add_argument(
            "--server",
            metavar="<server>",
            help="List only sessions of this server (name or ID)",
        )
        parser.add_argument(
            "--project",
            metavar="<project>",
            help="List the sessions of this project (ID; admin only)",
        )
        parser.add_argument(
            "--user",
            metavar="<user>",
            help="List only sessions of this user (ID)",
        )
        parser.add_argument(
            "--gateway",
            metavar="<gateway>",
            help="List only sessions through this gateway (name)",
        )
        parser.add_argument(
            "--state",
            choices=("open", "pending", "closed"),
            help="List only sessions in this state (default: open)",
        )
        parser.add_argument(
            "--long", action="store_true", help="List additional columns"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Return the sessions."""
        given: dict[str, Any] = {
            "all_projects": "true" if parsed_args.all_projects else None,
            "project_id": parsed_args.project,
            "user_id": parsed_args.user,
            "gateway": parsed_args.gateway,
            "state": parsed_args.state,
        }
        if parsed_args.server is not None:
            given["server"] = self.find_server_id(parsed_args.server)
        query = {
            name: each for name, each in given.items() if each is not None
        }
        columns = _LONG_COLUMNS if parsed_args.long else _COLUMNS
        return tuple(columns), [
            tuple(session[name] for name in columns.values())
            for session in self.console.console_sessions(**query)
        ]


class ShowSession(ConsoleCommand, command.ShowOne):
    """Show a session."""

    example = "console session show 5c5f0cc6-3c3b-4b6c-9d5e-0a7d3c1f6b52"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the session."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "session", metavar="<session>", help="Session (ID)"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Return the session."""
        session_id = _session_id(parsed_args.session)
        session = self.console.get_console_session(session_id)
        names = (name.lower().replace(" ", "_") for name in _LONG_COLUMNS)
        values = (session[name] for name in _LONG_COLUMNS.values())
        return tuple(names), tuple(values)


class DeleteSession(ConsoleCommand):
    """Cut sessions: their viewers are disconnected."""

    example = "console session delete 5c5f0cc6-3c3b-4b6c-9d5e-0a7d3c1f6b52"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the sessions."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "sessions",
            metavar="<session>",
            nargs="+",
            help="Session(s) to cut (ID)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Cut the sessions; continue if one fails."""
        self.delete_each(
            "session",
            [_session_id(text) for text in parsed_args.sessions],
            self.console.delete_console_session,
        )


def _session_id(text: str) -> str:
    """Return the ID of a session.

    :raises CommandError: it is none
    """
    if not is_uuid(text):
        raise exceptions.CommandError(
            f"{text!r} is not the ID of a session. To list them, run: "
            "openstack console session list"
        )
    return text.lower()
