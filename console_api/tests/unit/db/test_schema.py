# SPDX-License-Identifier: Apache-2.0
import sqlite3
from unittest import mock

import alembic.autogenerate
import alembic.migration
import alembic.script
import sqlalchemy as sa

from console_api import errors
from console_api.db import engine, schema, tables
from console_api.tests.unit import base


class EmptyDatabaseTest(base.FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.conf = base.load_conf(self.folder)
        self.path = self.folder / "console_api.sqlite"

    def test_it_has_no_version(self) -> None:
        self.assertIsNone(schema.version(self.conf))
        self.assertFalse(self.path.exists())
        self.path.touch()
        self.assertIsNone(schema.version(self.conf))

    def test_the_check_says_what_to_run(self) -> None:
        with self.assertRaises(errors.ConfigurationError) as caught:
            schema.check(self.conf)
        message = str(caught.exception)
        self.assertIn("none", message)
        self.assertIn(schema.head(), message)
        self.assertIn("console-api-manage db sync", message)
        self.assertIn("[database] connection", message)
        self.assertFalse(self.path.exists())

    def test_sync_brings_it_to_the_version_of_the_code(self) -> None:
        schema.sync(self.conf)
        self.assertEqual(schema.head(), schema.version(self.conf))
        schema.check(self.conf)

    def test_sync_makes_the_tables_that_the_statements_expect(self) -> None:
        schema.sync(self.conf)
        bare = sa.create_engine(engine.database_url(self.conf))
        self.addCleanup(bare.dispose)
        with bare.connect() as connection:
            context = alembic.migration.MigrationContext.configure(connection)
            self.assertEqual(
                [],
                alembic.autogenerate.compare_metadata(
                    context, tables.metadata
                ),
            )

    def test_sync_makes_the_checks_that_the_tables_name(self) -> None:
        schema.sync(self.conf)
        bare = sa.create_engine(engine.database_url(self.conf))
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

    def test_sync_makes_every_named_constraint(self) -> None:
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
        for name in names:
            with self.subTest(name):
                self.assertIn(name, text)

    def test_sync_lets_readers_go_on_beside_a_writer(self) -> None:
        schema.sync(self.conf)
        with sqlite3.connect(self.path) as connection:
            [(mode,)] = connection.execute("PRAGMA journal_mode")
        connection.close()
        self.assertEqual("wal", mode)


class CurrentDatabaseTest(base.DatabaseCase):
    def test_a_second_sync_changes_nothing(self) -> None:
        self.add_server()
        schema.sync(self.conf)
        self.assertEqual(1, len(self.rows(tables.servers)))
        schema.check(self.conf)

    def test_a_database_of_newer_code_is_refused(self) -> None:
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
    def test_every_call_says_that_it_does_not_answer(self) -> None:
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
    def test_a_driver_that_is_not_installed_is_named(self) -> None:
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
    def test_two_migrations_of_one_database_follow_each_other(self) -> None:
        for dialect, lock in (
            ("mysql", "GET_LOCK"),
            ("postgresql", "pg_advisory_lock"),
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
    def test_migrations_have_no_time_limit_on_their_statements(self) -> None:
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
    def test_they_are_one_line_from_the_first_to_the_last(self) -> None:
        scripts = alembic.script.ScriptDirectory(str(schema.MIGRATIONS))
        self.assertEqual([schema.head()], scripts.get_heads())
        for script in scripts.walk_revisions():
            with self.subTest(script.revision):
                self.assertFalse(script.is_merge_point)
                self.assertFalse(script.is_branch_point)

    def test_without_migrations_the_installation_is_blamed(self) -> None:
        with (
            mock.patch.object(schema, "MIGRATIONS", self.folder),
            self.assertRaisesRegex(errors.ConfigurationError, "Install"),
        ):
            schema.head()
