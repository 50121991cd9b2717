# SPDX-License-Identifier: Apache-2.0
from console_api.db import schema
from console_api.tests.unit import base
from console_api.tests.unit.cmd.manage.base import ManageCase, run


class SyncTest(ManageCase):
    def setUp(self) -> None:
        super().setUp()
        self.connection = f"sqlite:///{self.folder}/new.sqlite"
        base.write_conf(
            self.folder, {"database": {"connection": self.connection}}
        )

    def version(self) -> object:
        return self.manage("db", "version", "-f", "json").json

    def test_version_of_empty_database_is_null(self) -> None:
        self.assertEqual(
            {"found": None, "needed": schema.head()}, self.version()
        )

    def test_sync_upgrades_the_schema_once(self) -> None:
        for _ in range(2):
            outcome = self.manage("db", "sync")
            self.assertEqual(
                f"The database schema is at version {schema.head()}.\n",
                outcome.stdout,
            )
        self.assertEqual(
            {"found": schema.head(), "needed": schema.head()}, self.version()
        )


class WithoutDatabaseTest(base.FolderCase):
    def test_missing_connection_option_is_named(self) -> None:
        base.write_conf(self.folder, {"database": {"connection": ""}})
        for command in ("sync", "version"):
            outcome = run(self.folder, "db", command)
            self.assertEqual(1, outcome.status)
            self.assertIn("[database] connection is not set", outcome.stderr)
