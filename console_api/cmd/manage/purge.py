# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage purge`` and ``server purge``."""

import argparse

from console_api import directory, errors
from console_api.cmd.commands import counted
from console_api.cmd.manage import sessions, tokens
from console_api.cmd.manage.app import ManageApp
from console_api.cmd.manage.base import ManageCommand
from console_api.consoles import manager
from console_api.db import servers
from console_api.directory import cleanup
from console_api.directory.remote import RemoteDirectory

# How many expired consoles are read at a time.
_BATCH = 1000


class Purge(ManageCommand):
    """Delete what has expired and servers that the directory no longer has.

    Deletes expired consoles and combines `token purge`, `session purge` and
    `server purge`.
    Servers of [directory] driver `database` are kept. Run this command
    regularly, for example every hour.
    """

    def take_action(self, _parsed_args: argparse.Namespace) -> None:
        """Run all purges."""
        self._run(tokens.Purge)
        self._run(sessions.Purge)
        self._purge_consoles()
        if _source(self.app):
            self._run(PurgeServers)

    def _purge_consoles(self) -> None:
        deleted = 0
        while count := manager.delete_expired(self.app.database, _BATCH):
            deleted += count
        self.say(f"Deleted {counted(deleted, 'expired console')}.")

    def _run(self, kind: type[ManageCommand]) -> None:
        command = kind(self.app, self.app_args)
        command.take_action(command.get_parser("").parse_args([]))


class PurgeServers(ManageCommand):
    """Delete servers that the directory no longer has.

    Looks up every known server in the directory and deletes those that are
    gone, with their consoles and console auth tokens. Fails if the directory
    is unavailable; run the command again later.
    """

    def take_action(self, _parsed_args: argparse.Namespace) -> None:
        """Look up all servers and print how many were deleted."""
        database = self.app.database
        source = _source(self.app)
        if source is None:
            raise errors.ConfigurationError(
                f"[directory] driver is {self.app.conf.directory.driver}, "
                "which this command cannot query. Delete servers of the "
                "driver `database` with `server delete`; for others, use the "
                "configuration of an agent."
            )
        looked_up = gone = 0
        total = servers.count(database)
        with self.progress("Looking up servers") as update:
            try:
                for server_id in cleanup.known_servers(database):
                    gone += cleanup.is_gone(database, source, server_id)
                    looked_up += 1
                    update(looked_up, total)
            except errors.DirectoryUnavailable as error:
                raise errors.ConsoleAPIError(
                    f"The directory is unavailable for server {looked_up + 1} "
                    f"of {total}. Deleted {counted(gone, 'server')} before. "
                    "Run the command again later."
                ) from error
        self.say(f"Looked up {counted(looked_up, 'server')}, deleted {gone}.")


def _source(app: ManageApp) -> RemoteDirectory | None:
    """Return the directory if it is outside of our own database."""
    source = directory.load(app.conf, app.database)
    return source if isinstance(source, RemoteDirectory) else None
