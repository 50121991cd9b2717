# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage db``: the schema of the database."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from cliff import show

from console_api.cmd.manage.base import DisplayCommand, ManageCommand
from console_api.db import schema


class Sync(ManageCommand):
    """Bring the schema of the database up to date.

    Does nothing if it is. Run it before the services of a new version are
    started.
    """

    def take_action(self, _parsed_args: argparse.Namespace) -> None:
        """Run the migrations that the database has not seen."""
        schema.sync(self.app.conf)
        self.say(f"The schema is at version {schema.version(self.app.conf)}.")


class Version(DisplayCommand, show.ShowOne):
    """Show the version of the schema: found in the database, and needed."""

    def take_action(
        self, _parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        """Return both versions; None is found in an empty database."""
        return ("found", "needed"), (
            schema.version(self.app.conf),
            schema.head(),
        )
