# SPDX-License-Identifier: Apache-2.0
import sqlite3
from unittest import mock

import alembic.autogenerate
import alembic.migration
import alembic.script
import sqlalchemy as sa

from console_api import errors
from console_api.db import schema, tables, url
from console_api.tests.unit import base


class EmptyDatabaseTest(base.FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.conf = base.load_conf(self.folder)
        self.path = self.folder / "console_api.sqlite"

    def test_empty_database_has_no_version(self) -> None:
        self.assertIsNone(schema.version(self.conf))
        self.assertFalse(self.path.exists())
        self.path.touch()
        self.assertIsNone(schema.version(self.conf))

    def test_check_names_the_command(self) -> None:
        with self.assertRaises(errors.ConfigurationError) as caught:
            schema.check(self.conf)
        message = str(caught.exception)
        self.assertIn("none", message)
        self.assertIn(schema.head(), message)
        self.assertIn("console-api-manage db sync", message)
        self.assertIn("[database] connection", message)
        self.assertFalse(self.path.exists())

    def test_sync_reaches_version_of_code(self) -> None:
        schema.sync(self.conf)
        self.assertEqual(schema.head(), schema.version(self.conf))
        schema.check(self.conf)

    def test_sync_creates_tables(self) -> None:
        schema.sync(self.conf)
        bare = sa.create_engine(url.database_url(self.conf))
        self.addCleanup(bare.dispose)
        with bare.connect() as connection:
            context = alembic.migration.MigrationContext.configure(connection)
            self.assertEqual(
                [],
                alembic.autogenerate.compare_metadata(
                    context, tables.metadata
                ),
            )

    def test_sync_creates_check_constraints(self) -> None:
        schema.sync(self.conf)
        bare = sa.create_engine(url.database_url(self.conf))
        self.addCleanup(bare.dispose)
        inspector = sa.inspect(bare)
        for name, table in tables.metadata.tables.items():
            expected = {
                constraint.name: str(constraint.sqltext)
                for constraint in table.constraints
                if isinstance(constraint, sa.CheckConstraint)
            }
            found = {
                each["name"]: each["sqltext"]
                for each in inspector.get_check_constraints(name)
            }
            with self.subTest(name):
                self.assertEqual(expected, found)

    def test_sync_creates_named_constraints(self) -> None:
        schema.sync(self.conf)
        with sqlite3.connect(self.path) as connection:
            text = "\n".join(
                row[0]
                for row in connection.execute(
                    "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
                )
            )
        connection.close()
        names = {
            constraint.name
            for table in tables.metadata.tables.values()
            for constraint in table.constraints
        }
        self.assertNotIn(None, names)
        # SQLite takes no name with AUTOINCREMENT.
        for name in names - {"pk_consoles", "pk_console_hosts"}:
            with self.subTest(name):
                self.assertIn(name, text)

    def test_sync_enables_write_ahead_log(self) -> None:
        schema.sync(self.conf)
        with sqlite3.connect(self.path) as connection:
            [(mode,)] = connection.execute("PRAGMA journal_mode")
        connection.close()
        self.assertEqual("wal", mode)


class CurrentDatabaseTest(base.DatabaseCase):
    def test_second_sync_changes_nothing(self) -> None:
        self.add_server()
        schema.sync(self.conf)
        self.assertEqual(1, len(self.rows(tables.servers)))
        schema.check(self.conf)

    def test_newer_database_is_refused(self) -> None:
        with self.database.transaction() as connection:
            connection.execute(
                sa.text("UPDATE alembic_version SET version_num = '9999'")
            )
        for function in (schema.check, schema.sync):
            with (
                self.subTest(function.__name__),
                self.assertRaisesRegex(errors.ConfigurationError, "9999"),
            ):
                function(self.conf)


class AbsentDatabaseTest(base.FolderCase):
    def test_calls_without_database_are_unavailable(self) -> None:
        conf = base.load_conf(
            self.folder,
            {"database": {"connection": f"sqlite:///{self.folder}/no/file"}},
        )
        for function in (schema.version, schema.check, schema.sync):
            with (
                self.subTest(function.__name__),
                self.assertRaises(errors.DatabaseUnavailable),
            ):
                function(conf)


class DriverTest(base.FolderCase):
    def test_missing_driver_is_named(self) -> None:
        conf = base.load_conf(self.folder)
        (self.folder / "console_api.sqlite").touch()
        absent = ModuleNotFoundError("No module named 'somesql'")
        for function in (schema.version, schema.check, schema.sync):
            with (
                self.subTest(function.__name__),
                mock.patch.object(sa, "create_engine", side_effect=absent),
                self.assertRaisesRegex(errors.ConfigurationError, "somesql"),
            ):
                function(conf)


class LockTest(base.FolderCase):
    def test_concurrent_migrations_wait(self) -> None:
        for dialect, lock in (
            ("mysql", "GET_LOCK"),
            ("postgresql", "pg_advisory_xact_lock"),
            ("sqlite", "BEGIN IMMEDIATE"),
            ("oracle", None),
        ):
            connection = mock.Mock()
            connection.dialect.name = dialect
            schema._lock(connection)
            sent = [
                call.args[0] for call in connection.exec_driver_sql.mock_calls
            ]
            with self.subTest(dialect):
                if lock is None:
                    self.assertEqual([], sent)
                else:
                    self.assertIn(lock, sent[-1])


class SyncOfServersTest(base.FolderCase):
    def test_migrations_have_no_statement_timeout(self) -> None:
        for text, kept in (
            (
                "mysql+pymysql://user@host/name",
                {"connect_timeout", "charset"},
            ),
            (
                "postgresql+psycopg2://user@host/name",
                {
                    "connect_timeout",
                    "tcp_user_timeout",
                    "keepalives_idle",
                    "keepalives_interval",
                    "keepalives_count",
                    "client_encoding",
                },
            ),
        ):
            conf = base.load_conf(
                self.folder, {"database": {"connection": text}}
            )
            with (
                self.subTest(text),
                mock.patch.object(
                    sa, "create_engine", side_effect=ZeroDivisionError
                ) as create,
            ):
                with self.assertRaises(ZeroDivisionError):
                    schema.sync(conf)
                self.assertEqual(kept, set(create.call_args.args[0].query))


class MigrationsTest(base.FolderCase):
    def test_migrations_are_linear(self) -> None:
        scripts = alembic.script.ScriptDirectory(str(schema.MIGRATIONS))
        self.assertEqual([schema.head()], scripts.get_heads())
        for script in scripts.walk_revisions():
            with self.subTest(script.revision):
                self.assertFalse(script.is_merge_point)
                self.assertFalse(script.is_branch_point)

    def test_missing_migrations_are_reported(self) -> None:
        with (
            mock.patch.object(schema, "MIGRATIONS", self.folder),
            self.assertRaisesRegex(errors.ConfigurationError, "Install"),
        ):
            schema.head()
