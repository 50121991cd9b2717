# SPDX-License-Identifier: Apache-2.0
"""``openstack console lock``: users, projects and hosts without sessions."""

from __future__ import annotations

import argparse

from osc_lib.command import command

from console_api_client.osc.base import ConsoleCommand, Table

_COLUMNS = {
    "Scope": "scope",
    "Name": "name",
    "Reason": "reason",
    "Created At": "created_at",
}


class ListLock(ConsoleCommand, command.Lister):
    """List the locks of users, projects and hosts (admin only)."""

    example = "console lock list"

    def take_action(self, _parsed_args: argparse.Namespace) -> Table:
        """Return the locks."""
        return tuple(_COLUMNS), [
            tuple(lock[name] for name in _COLUMNS.values())
            for lock in self.console.console_locks()
        ]


class LockCommand(ConsoleCommand):
    """A command for one lock."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add what is locked."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "scope",
            choices=("user", "project", "host"),
            help="What is locked",
        )
        parser.add_argument(
            "name",
            metavar="<name>",
            help="User or project (ID), or compute host or gateway (name)",
        )
        return parser


class SetLock(LockCommand):
    """Cut all sessions of a user, project or host, and refuse new ones.

    For administrators only. It stays until it is unset.
    """

    example = "console lock set host compute-1 --reason Maintenance"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the reason."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--reason",
            metavar="<reason>",
            required=True,
            help="Why it is locked, for other administrators",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Set the lock."""
        self.console.set_console_lock(
            parsed_args.scope, parsed_args.name, parsed_args.reason
        )


class UnsetLock(LockCommand):
    """Allow sessions of a user, project or host again (admin only)."""

    example = "console lock unset host compute-1"

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Delete the lock."""
        self.console.delete_console_lock(parsed_args.scope, parsed_args.name)
