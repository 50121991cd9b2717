# SPDX-License-Identifier: Apache-2.0
"""The application of ``console-api-manage``."""

import functools
import logging
from collections.abc import Sequence

from cliff import command

from console_api.cmd import application
from console_api.db import schema
from console_api.db.engine import Database


class ManageApp(application.Application):
    """The application, with what its commands share."""

    NAME = "console-api-manage"
    NAMESPACE = "console_api.manage"
    DESCRIPTION = (
        "Manage the database, keys, servers and console hosts of console_api."
    )

    def configure_logging(self) -> None:
        """Log as cliff does, but never SQL statements with their values."""
        super().configure_logging()
        logging.getLogger("sqlalchemy").setLevel(logging.WARNING)
        if self.options.verbose_level <= self.DEFAULT_VERBOSE_LEVEL:
            logging.getLogger("alembic").setLevel(logging.WARNING)

    @functools.cached_property
    def database(self) -> Database:
        """The database, once its schema has been checked.

        :raises ConfigurationError: its schema is not up to date
        :raises DatabaseUnavailable: it is unavailable
        """
        schema.check(self.conf)
        return Database(self.conf)

    def clean_up(
        self,
        _cmd: command.Command,
        _result: int,
        _err: BaseException | None,
    ) -> None:
        """Close the connections to the database."""
        if "database" in vars(self):
            self.database.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program.

    :returns: its exit status
    """
    return application.run(ManageApp, argv)
