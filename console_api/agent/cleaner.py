# SPDX-License-Identifier: Apache-2.0
"""Asks for servers from time to time, since some are gone unnoticed."""

import asyncio
import itertools
import logging
import uuid
from concurrent.futures import ThreadPoolExecutor

from oslo_config import cfg

from console_api import errors
from console_api.db.engine import Database
from console_api.directory import cleanup
from console_api.directory.remote import RemoteDirectory

LOG = logging.getLogger(__name__)


class Cleaner:
    """Goes round all known servers, a few at a time, and never ends.

    Each agent does so, beginning anywhere, so that they do not all ask for
    the same servers.
    """

    def __init__(
        self,
        database: Database,
        directory: RemoteDirectory,
        conf: cfg.ConfigOpts,
    ) -> None:
        """Prepare; ``run`` does the work."""
        self._database = database
        self._directory = directory
        self._interval = conf.agent.cleanup_interval
        self._batch = conf.agent.cleanup_batch
        self._marker = str(uuid.uuid4())
        self._troubled = False
        self._stopping = False
        # A directory that hangs must not keep others from their threads.
        self._thread = ThreadPoolExecutor(1, "cleaner")

    async def run(self) -> None:
        """Do a round again and again until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                await asyncio.sleep(self._interval)
                await loop.run_in_executor(self._thread, self.do_round)
        finally:
            self._stopping = True
            self._thread.shutdown(wait=False, cancel_futures=True)

    def do_round(self) -> None:
        """Ask for a few servers; one that is gone is deleted.

        A round ends with the first server that there is no answer for.  The
        next one begins after it, so that one bad answer does not keep all
        other servers from being asked for.
        """
        try:
            self._ask_for_some()
        except errors.Unavailable as error:
            if not self._troubled:
                LOG.warning("Servers that are gone stay for now. %s", error)
            self._troubled = True
        except Exception:
            LOG.exception("Unexpected error. The next round is another try.")
        else:
            self._troubled = False

    def _ask_for_some(self) -> None:
        asked = 0
        known = cleanup.known_servers(self._database, self._marker)
        for server_id in itertools.islice(known, self._batch):
            if self._stopping:
                return
            asked += 1
            self._marker = server_id
            if cleanup.is_gone(self._database, self._directory, server_id):
                LOG.info(
                    "Server %s is gone, and its consoles and tokens with it.",
                    server_id,
                )
        if asked < self._batch:
            # That was the last one: begin anew.
            self._marker = ""
