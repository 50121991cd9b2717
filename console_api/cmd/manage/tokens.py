# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage token``: maintenance of console auth tokens."""

import argparse
import time

from console_api import values
from console_api.cmd.arguments import argument, number
from console_api.cmd.commands import counted
from console_api.cmd.manage.base import ManageCommand
from console_api.db import console_auth_tokens
from console_api.tokens import manager

# Well below the number of values that databases take in one statement.
_MAX_BATCH_SIZE = 10_000


class Purge(ManageCommand):
    """Delete expired console auth tokens.

    Each batch is a short transaction that does not hold up the API. Run this
    command regularly, for example every hour.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the batch size."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--batch-size",
            type=argument(_batch_size),
            default=1000,
            metavar="N",
            help="The number of tokens to delete, and so to lock, in one "
            f"transaction: 1 to {_MAX_BATCH_SIZE}. (default: %(default)s)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Delete the tokens in batches and print their number."""
        database = self.app.database
        deleted = 0
        with self.progress("Deleting expired tokens") as update:
            total = console_auth_tokens.count_expired(
                database, int(time.time())
            )
            for count in manager.purge(database, parsed_args.batch_size):
                deleted += count
                update(deleted, total)
        self.say(f"Deleted {counted(deleted, 'expired token')}.")


def _batch_size(text: str) -> int:
    size = number(text)
    if isinstance(size, str) or not 1 <= size <= _MAX_BATCH_SIZE:
        raise ValueError(
            f"must be a number from 1 to {_MAX_BATCH_SIZE}, not "
            f"{values.quoted(size)}"
        )
    return size
