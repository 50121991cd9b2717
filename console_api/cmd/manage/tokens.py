# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage token``: maintenance of console auth tokens."""

import argparse
import time

from console_api.cmd.commands import counted
from console_api.cmd.manage.base import BatchCommand
from console_api.db import console_auth_tokens
from console_api.tokens import manager


class Purge(BatchCommand):
    """Delete expired console auth tokens.

    Each batch is a short transaction that does not hold up the API. Run this
    command regularly, for example every hour.
    """

    ITEMS = "tokens"

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
