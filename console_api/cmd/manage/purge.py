# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage purge``: what is of no use any more."""

import argparse

from console_api import directory, errors
from console_api.cmd.manage import tokens
from console_api.cmd.manage.app import ManageApp
from console_api.cmd.manage.base import ManageCommand
from console_api.db import servers
from console_api.directory import cleanup
from console_api.directory.remote import RemoteDirectory


class Purge(ManageCommand):
    """Delete expired tokens, and servers that the directory no longer has.

    Does what `token purge` and `server purge` do. Servers that are registered
    here stay. Run it regularly, for example every hour.
    """

    def take_action(self, _parsed_args: argparse.Namespace) -> None:
        """Do one after the other."""
        self._run(tokens.Purge)
        if _source(self.app):
            self._run(PurgeServers)

    def _run(self, kind: type[ManageCommand]) -> None:
        command = kind(self.app, self.app_args)
        command.take_action(command.get_parser("").parse_args([]))


class PurgeServers(ManageCommand):
    """Delete servers that the directory no longer has.

    Asks it for each server that is known here, and deletes those that are
    gone with their consoles and console auth tokens. Stops with an error if
    the directory does not answer; run it again then.
    """

    def take_action(self, _parsed_args: argparse.Namespace) -> None:
        """Ask for one server after another, and say how many were gone."""
        database = self.app.database
        source = _source(self.app)
        if source is None:
            raise errors.ConfigurationError(
                f"[directory] driver is {self.app.conf.directory.driver}, "
                "which cannot be asked. Servers that are registered here are "
                "deleted with `server delete`; for others, run this with the "
                "configuration of an agent."
            )
        asked = gone = 0
        total = servers.count(database)
        with self.progress("Asking for servers") as update:
            try:
                for server_id in cleanup.known_servers(database):
                    gone += cleanup.is_gone(database, source, server_id)
                    asked += 1
                    update(asked, total)
            except errors.DirectoryUnavailable as error:
                raise errors.ConsoleAPIError(
                    f"The directory of servers does not answer for server "
                    f"{asked + 1} of {total}; {gone} were gone until then "
                    "and are deleted. Run the command again when it does."
                ) from error
        self.say(f"Asked for {asked} servers, deleted {gone}.")


def _source(app: ManageApp) -> RemoteDirectory | None:
    """Return the directory if servers come and go elsewhere."""
    source = directory.load(app.conf, app.database)
    return source if isinstance(source, RemoteDirectory) else None
