# SPDX-License-Identifier: Apache-2.0
"""A directory that reads servers from a JSON file."""

import json
import logging
from pathlib import Path
from typing import Self

from oslo_config import cfg

from console_api import errors
from console_api.db.engine import Database
from console_api.directory.base import Endpoint, Server
from console_api.directory.remote import RemoteDirectory

LOG = logging.getLogger(__name__)

OPTS = [cfg.StrOpt("path", help="The JSON file: an object of servers by ID.")]

# What a file with other contents causes.
_MALFORMED = (ValueError, TypeError, LookupError, AttributeError)


class FileDirectory(RemoteDirectory):
    """Look servers up in ``[file_directory] path``."""

    def __init__(
        self, database: Database, cache_seconds: float, path: Path
    ) -> None:
        """Use a file, which is read for each look-up."""
        super().__init__(database, cache_seconds)
        self._path = path

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts, database: Database) -> Self:
        """Create the directory.

        :raises ConfigurationError: the path is not set
        """
        conf.register_opts(OPTS, "file_directory")
        if not conf.file_directory.path:
            raise errors.ConfigurationError(
                "[file_directory] path is not set. Set it to a JSON file."
            )
        path = Path(conf.file_directory.path)
        return cls(database, conf.directory.cache_seconds, path)

    def find(self, server_id: str) -> Server:
        """Look a server up; see ``RemoteDirectory.find``."""
        try:
            fields = json.loads(self._path.read_text()).get(server_id)
            if fields is None:
                raise errors.ServerNotFound(server_id)
            return Server(
                uuid=server_id,
                project_id=fields["project_id"],
                name=fields["name"],
                instance_name=fields["instance_name"],
                compute_host=fields["compute_host"],
                endpoints={"vnc": Endpoint(**fields["vnc"])},
            )
        except (OSError, *_MALFORMED) as error:
            LOG.error("Cannot read %s: %r", self._path, error)  # noqa: TRY400
            raise errors.DirectoryUnavailable from error
