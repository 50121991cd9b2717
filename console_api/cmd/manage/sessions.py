# SPDX-License-Identifier: Apache-2.0
"""``console-api-manage session``: maintenance of sessions."""

import argparse

from console_api.cmd.commands import counted
from console_api.cmd.manage.base import BatchCommand
from console_api.sessions import purge


class Purge(BatchCommand):
    """Delete sessions that were closed [sessions] retention days ago.

    Also deletes gateways without a heartbeat for a day. Each batch is a short
    transaction that does not hold up the API. Run this command regularly, for
    example every hour.
    """

    ITEMS = "sessions"

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Delete the sessions in batches and print their number."""
        options = self.app.conf.sessions
        deleted = sum(
            purge.purge(
                self.app.database,
                resume_timeout=options.resume_timeout,
                retention=options.retention,
                batch=parsed_args.batch_size,
            )
        )
        self.say(f"Deleted {counted(deleted, 'old session')}.")
