# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage token``: console auth tokens."""

import argparse
import time

from console_api import values
from console_api.cmd.arguments import argument, number
from console_api.cmd.manage.base import ManageCommand
from console_api.db import console_auth_tokens
from console_api.tokens import manager

# What databases take as values of one statement, and room to spare.
_LARGEST_BATCH = 10_000


class Purge(ManageCommand):
    """Delete the console auth tokens that have expired.

    Each batch is a short transaction, so that the API goes on meanwhile.
    Run it regularly, for example every hour.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the size of a batch."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--batch-size",
            type=argument(_batch_size),
            default=1000,
            metavar="N",
            help="How many tokens a transaction deletes, and so locks. "
            f"1 to {_LARGEST_BATCH}. (default: %(default)s)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Delete batch by batch and say how many it were."""
        database = self.app.database
        deleted = 0
        with self.progress("Deleting expired tokens") as update:
            total = console_auth_tokens.count_expired(
                database, int(time.time())
            )
            for count in manager.purge(database, parsed_args.batch_size):
                deleted += count
                update(deleted, total)
        self.say(f"Deleted {deleted} expired tokens.")


def _batch_size(text: str) -> int:
    size = number(text)
    if isinstance(size, str) or not 1 <= size <= _LARGEST_BATCH:
        raise ValueError(
            f"must be a number from 1 to {_LARGEST_BATCH}, not "
            f"{values.quoted(size)}"
        )
    return size
