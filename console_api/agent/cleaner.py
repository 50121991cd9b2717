# SPDX-License-Identifier: Apache-2.0
"""Periodic clean-up of expired consoles and of servers that are gone."""

import asyncio
import itertools
import logging
import uuid
from concurrent.futures import ThreadPoolExecutor

from oslo_config import cfg

from console_api import errors
from console_api.consoles import manager
from console_api.db.engine import Database
from console_api.directory import cleanup
from console_api.directory.base import Directory
from console_api.directory.remote import RemoteDirectory

LOG = logging.getLogger(__name__)


class Cleaner:
    """Deletes expired consoles, and servers that their directory lost.

    It looks up known servers, a batch at a time, if the directory is outside
    of our own database.  Each agent does so.  They start at random servers,
    so that they do not all look up the same ones.
    """

    def __init__(
        self,
        database: Database,
        directory: Directory,
        conf: cfg.ConfigOpts,
        marker: str | None = None,
    ) -> None:
        """Prepare; ``run`` does the work.

        :param marker: start after the server with this UUID
        """
        self._database = database
        self._directory = directory
        self._interval = conf.agent.cleanup_interval
        self._batch = conf.agent.cleanup_batch
        self._marker = str(uuid.uuid4()) if marker is None else marker
        self._is_failing = False
        self._is_stopping = False
        # A thread of its own: a directory that hangs must not occupy those
        # that sessions need.
        self._thread = ThreadPoolExecutor(1, "cleaner")

    async def run(self) -> None:
        """Check a batch after each interval until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                await asyncio.sleep(self._interval)
                await loop.run_in_executor(self._thread, self.clean_up)
        finally:
            self._is_stopping = True
            self._thread.shutdown(wait=False, cancel_futures=True)

    def clean_up(self) -> None:
        """Delete a batch of expired consoles and one of servers that are gone.

        The batch of servers ends at the first one without an answer.  The
        next batch starts after it, so that it cannot block all the others.
        """
        try:
            self._delete_expired()
            if isinstance(self._directory, RemoteDirectory):
                self._check_servers(self._directory)
        except errors.Unavailable as error:
            if not self._is_failing:
                LOG.warning(
                    "Cannot delete expired consoles or check for deleted "
                    "servers; retrying. Cause: %s",
                    error,
                )
            self._is_failing = True
        except Exception:
            LOG.exception("Unexpected error in clean-up; retrying.")
        else:
            self._is_failing = False

    def _delete_expired(self) -> None:
        count = manager.delete_expired(self._database, self._batch)
        if count:
            LOG.info("Deleted %d expired consoles.", count)

    def _check_servers(self, directory: RemoteDirectory) -> None:
        count = 0
        known = cleanup.known_servers(self._database, self._marker)
        for server_id in itertools.islice(known, self._batch):
            if self._is_stopping:
                return
            count += 1
            self._marker = server_id
            if cleanup.is_gone(self._database, directory, server_id):
                LOG.info(
                    "Deleted server %s with its consoles and tokens: its "
                    "directory no longer has it.",
                    server_id,
                )
        if count < self._batch:
            # That was the last server: start over.
            self._marker = ""
