# SPDX-License-Identifier: Apache-2.0
"""What is known of servers that are elsewhere, on each database server.

The stories are those of the unit tests, which tell them on SQLite.
"""

import functools
from unittest import mock

from console_api.db import tables
from console_api.tests.functional import base, configuration, databases
from console_api.tests.functional.databases import TestDatabase
from console_api.tests.unit import base as unit_base
from console_api.tests.unit.agent import test_cleaner, test_notifications
from console_api.tests.unit.cmd.manage import test_purge
from console_api.tests.unit.directory import test_cleanup, test_records


@functools.cache
def _database(name: str) -> TestDatabase:
    """Return the database that the tests here have in turn."""
    return configuration.migrate(databases.create(name))


class OnServer(base.DatabaseTestCase):
    """Puts a database on a server in the place of SQLite."""

    def setUp(self) -> None:
        url = _database(self.backend).text
        self.enterContext(
            mock.patch.object(unit_base, "connection", lambda _folder: url)
        )
        super().setUp()

    def prepare_database(self) -> None:
        with _database(self.backend).engine.begin() as connection:
            for table in reversed(tables.metadata.sorted_tables):
                connection.execute(table.delete())


@base.on_database_servers
class UpdateTest(OnServer, test_records.UpdateTest):
    pass


@base.on_database_servers
class DeleteTest(OnServer, test_records.DeleteTest):
    pass


@base.on_database_servers
class CheckTest(OnServer, test_cleanup.CheckTest):
    pass


@base.on_database_servers
class CleanerTest(OnServer, test_cleaner.CleanerTest):
    pass


@base.on_database_servers
class PurgeTest(OnServer, test_purge.PurgeTest):
    pass


@base.on_database_servers
class DeletionTest(OnServer, test_notifications.DeletionTest):
    pass
