# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage db``: the database schema."""

import argparse

from cliff import show

from console_api.cmd.commands import Table
from console_api.cmd.manage.base import DisplayCommand, ManageCommand
from console_api.db import schema


class Sync(ManageCommand):
    """Upgrade the database schema to the version that this release needs.

    Does nothing if the schema is up to date. Run this command before the
    services of a new release are started.
    """

    def take_action(self, _parsed_args: argparse.Namespace) -> None:
        """Run the missing migrations and print the version."""
        schema.sync(self.app.conf)
        version = schema.version(self.app.conf)
        self.say(f"The database schema is at version {version}.")


class Version(DisplayCommand, show.ShowOne):
    """Show the schema version in the database and the one needed."""

    def take_action(self, _parsed_args: argparse.Namespace) -> Table:
        """Return both versions; an empty database has None."""
        return ("found", "needed"), (
            schema.version(self.app.conf),
            schema.head(),
        )
