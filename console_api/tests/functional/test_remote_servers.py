# SPDX-License-Identifier: Apache-2.0
"""Servers of a remote directory, on each database server.

The tests are the unit tests that run on SQLite.
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
    """Return the database that the tests of this module share."""
    return configuration.migrate(databases.create(name))


class DatabaseServerTestCase(base.DatabaseTestCase):
    """Replace SQLite by a database server."""

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
class UpdateTest(DatabaseServerTestCase, test_records.UpdateTest):
    pass


@base.on_database_servers
class DeleteTest(DatabaseServerTestCase, test_records.DeleteTest):
    pass


@base.on_database_servers
class CheckTest(DatabaseServerTestCase, test_cleanup.CheckTest):
    pass


@base.on_database_servers
class CleanerTest(DatabaseServerTestCase, test_cleaner.CleanerTest):
    pass


@base.on_database_servers
class PurgeTest(DatabaseServerTestCase, test_purge.PurgeTest):
    pass


@base.on_database_servers
class DeletionTest(DatabaseServerTestCase, test_notifications.DeletionTest):
    pass
