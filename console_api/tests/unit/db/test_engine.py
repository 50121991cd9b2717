# SPDX-License-Identifier: Apache-2.0
from typing import Any
from unittest import mock

import sqlalchemy as sa
from oslo_db import exception as db_exc
from sqlalchemy import exc as sa_exc

from console_api import errors
from console_api.db import console_auth_tokens, engine, tables
from console_api.tests.unit import base

ONE = sa.select(sa.literal(1))

AWAY = sa_exc.OperationalError("SELECT", {}, Exception("refused"))
DISCONNECTED = sa_exc.OperationalError(
    "SELECT", {}, Exception("gone away"), connection_invalidated=True
)


class DatabaseUrlTest(base.FolderCase):
    def url(self, text: str) -> sa.URL:
        return engine.database_url(
            base.load_conf(self.folder, {"database": {"connection": text}})
        )

    def test_every_database_gets_time_limits(self) -> None:
        for text, expected in (
            ("sqlite:////a/file", {"timeout": "30"}),
            (
                "mysql+pymysql://user:secret@host/name",
                {
                    "connect_timeout": "10",
                    "read_timeout": "30",
                    "write_timeout": "30",
                    "charset": "utf8mb4",
                },
            ),
            (
                "postgresql+psycopg2://user:secret@host/name",
                {
                    "connect_timeout": "10",
                    "tcp_user_timeout": "30000",
                    "keepalives_idle": "15",
                    "keepalives_interval": "5",
                    "keepalives_count": "3",
                    "options": "-c statement_timeout=30000",
                },
            ),
        ):
            with self.subTest(text):
                self.assertEqual(expected, dict(self.url(text).query))

    def test_limits_that_the_operator_gives_are_kept(self) -> None:
        url = self.url("sqlite:////a/file?timeout=3")
        self.assertEqual({"timeout": "3"}, dict(url.query))

    def test_a_database_without_known_limits_is_left_alone(self) -> None:
        url = self.url("oracle://user:secret@host/name")
        self.assertEqual({}, dict(url.query))

    def test_a_url_that_is_missing_is_asked_for(self) -> None:
        with self.assertRaisesRegex(errors.ConfigurationError, "is not set"):
            self.url("")

    def test_what_is_no_url_is_refused_without_showing_it(self) -> None:
        for text in (
            "secret",
            "secret://host/name",
            "mysql+secret://user:secret@host/name",
            "mysql+pymysql://user:secret@host:secret/name",
        ):
            with self.subTest(text):
                with self.assertRaises(errors.ConfigurationError) as caught:
                    self.url(text)
                message = str(caught.exception)
                self.assertIn("[database] connection", message)
                self.assertNotIn("secret", message)


class SqliteFileTest(base.FolderCase):
    def open(self, path: str) -> engine.Database:
        connection = {"connection": f"sqlite:///{path}"}
        database = engine.Database(
            base.load_conf(self.folder, {"database": connection})
        )
        self.addCleanup(database.close)
        return database

    def test_one_that_is_missing_is_not_made(self) -> None:
        path = self.folder / "file"
        database = self.open(str(path))
        with self.assertRaises(errors.DatabaseUnavailable):
            database.read(ONE)
        with self.assertRaises(errors.DatabaseUnavailable):
            console_auth_tokens.delete(database, "a hash")
        self.assertFalse(path.exists())

    def test_its_name_may_have_any_characters(self) -> None:
        path = self.folder / "100% a&b#c=d é"
        path.touch()
        self.assertEqual([(1,)], self.open(str(path)).read(ONE))

    def test_a_uri_of_the_operators_own_is_left_alone(self) -> None:
        uri = f"file:{self.folder}/file?mode=rwc&uri=true"
        self.assertEqual([(1,)], self.open(uri).read(ONE))


class PoolTest(base.FolderCase):
    def test_the_reader_has_the_pool_that_the_operator_asks_for(self) -> None:
        for size, overflow, timeout in ((3, 4, 7), (3, 0, 7)):
            options = {
                "max_pool_size": size,
                "max_overflow": overflow,
                "pool_timeout": timeout,
            }
            conf = base.load_conf(self.folder, {"database": options})
            reader = engine.create_reader(conf)
            self.addCleanup(reader.dispose)
            pool = reader.pool
            assert isinstance(pool, sa.QueuePool)
            with self.subTest(options):
                self.assertEqual(
                    (size, overflow, timeout),
                    (pool.size(), pool._max_overflow, pool.timeout()),
                )

    def test_all_connections_are_given_back(self) -> None:
        database = engine.Database(base.load_conf(self.folder))
        (self.folder / "console_api.sqlite").touch()
        database.read(ONE)
        for idle in (1, 0):
            pool = database._reader.pool
            assert isinstance(pool, sa.QueuePool)
            self.assertEqual(idle, pool.checkedin())
            database.close()

    def test_a_driver_that_is_not_installed_is_named(self) -> None:
        conf = base.load_conf(self.folder)
        absent = ModuleNotFoundError("No module named 'somesql'")
        with (
            mock.patch.object(engine, "create_writer", side_effect=absent),
            self.assertRaisesRegex(
                errors.ConfigurationError, "'somesql'.*console-api"
            ),
        ):
            engine.Database(conf)


class ReadTest(base.DatabaseCase):
    def test_rows_come_back_with_names(self) -> None:
        [row] = self.database.read(
            sa.select((sa.bindparam("one") + 1).label("two")), {"one": 1}
        )
        self.assertEqual(2, row.two)

    def failing(self, *outcomes: object) -> Any:
        """Let reads end like this, one after the other."""
        return mock.patch.object(self.database, "_fetch", side_effect=outcomes)

    def test_a_read_that_meets_a_dead_connection_is_repeated_once(
        self,
    ) -> None:
        with self.failing(DISCONNECTED, [(1,)]) as fetch:
            self.assertEqual([(1,)], self.database.read(ONE))
        self.assertEqual(2, fetch.call_count)
        with (
            self.failing(DISCONNECTED, DISCONNECTED, [(1,)]),
            self.assertRaises(errors.DatabaseUnavailable),
        ):
            self.database.read(ONE)

    def test_a_database_that_cannot_be_reached_is_asked_once(self) -> None:
        with (
            self.failing(AWAY, [(1,)]) as fetch,
            self.assertRaises(errors.DatabaseUnavailable),
        ):
            self.database.read(ONE)
        fetch.assert_called_once()

    def test_a_database_that_is_away_and_back_needs_no_restart(self) -> None:
        database = self.open_database(
            base.load_conf(
                self.folder,
                {
                    "database": {
                        "connection": f"sqlite:///{self.folder}/away/file"
                    }
                },
            )
        )
        for _ in range(2):
            with self.assertRaises(errors.DatabaseUnavailable):
                database.read(ONE)
        (self.folder / "away").mkdir()
        (self.folder / "away" / "file").touch()
        self.assertEqual([(1,)], database.read(ONE))

    def test_whatever_says_that_the_database_is_away_says_just_that(
        self,
    ) -> None:
        for error in (
            AWAY,
            sa_exc.InterfaceError("SELECT", {}, Exception("no socket")),
            sa_exc.TimeoutError("the pool is empty"),
        ):
            with self.subTest(type(error).__name__), self.failing(error):
                with self.assertRaises(errors.DatabaseUnavailable) as caught:
                    self.database.read(ONE)
                self.assertIs(error, caught.exception.__cause__)

    def test_a_faulty_statement_is_not_taken_for_an_absent_database(
        self,
    ) -> None:
        for error in (
            sa_exc.ProgrammingError("SELECT", {}, Exception("no column")),
            sa_exc.DataError("SELECT", {}, Exception("out of range")),
        ):
            with (
                self.subTest(type(error).__name__),
                self.failing(error),
                self.assertRaises(type(error)),
            ):
                self.database.read(ONE)


class TransactionTest(base.DatabaseCase):
    def store(self, connection: sa.Connection) -> None:
        connection.execute(
            tables.console_hosts.insert(),
            {**base.console_host(), "console_count": 0},
        )

    def test_all_of_it_is_kept(self) -> None:
        with self.database.transaction() as connection:
            self.store(connection)
        self.assertEqual(1, len(self.rows(tables.console_hosts)))

    def test_nothing_of_it_is_kept_after_an_error(self) -> None:
        with (
            self.assertRaises(ZeroDivisionError),
            self.database.transaction() as connection,
        ):
            self.store(connection)
            raise ZeroDivisionError
        self.assertEqual([], self.rows(tables.console_hosts))

    def test_a_write_to_a_database_that_is_away_says_just_that(self) -> None:
        connection = f"sqlite:///{self.folder}/away/file"
        database = self.open_database(
            base.load_conf(
                self.folder, {"database": {"connection": connection}}
            )
        )
        with self.assertRaises(errors.DatabaseUnavailable):
            console_auth_tokens.delete(database, "a hash")

    def test_a_row_must_refer_to_one_that_is_there(self) -> None:
        with (
            self.assertRaises(db_exc.DBReferenceError),
            self.database.transaction() as connection,
        ):
            connection.execute(
                tables.server_endpoints.insert(), base.endpoint("vnc")
            )


class ParametersTest(base.DatabaseCase):
    def test_no_error_shows_the_values_of_a_statement(self) -> None:
        select: sa.Select[Any] = sa.select(sa.column("unknown")).where(
            sa.column("unknown") == sa.bindparam("value")
        )
        delete = sa.delete(sa.table("unknown")).where(
            sa.column("unknown") == sa.bindparam("value")
        )
        values = {"value": "secret"}
        with self.assertRaises(errors.DatabaseUnavailable) as caught:
            self.database.read(select, values)
        self.assertNotIn("secret", str(caught.exception.__cause__))
        with (
            self.assertRaises(db_exc.DBError) as refused,
            self.database.transaction() as connection,
        ):
            connection.execute(delete, values)
        self.assertNotIn("secret", str(refused.exception))
