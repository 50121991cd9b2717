# SPDX-License-Identifier: Apache-2.0
from typing import Any
from unittest import mock

import sqlalchemy as sa
from oslo_db import exception as db_exc
from sqlalchemy import exc as sa_exc

from console_api import errors
from console_api.db import console_auth_tokens, engine, pools, tables
from console_api.tests.unit import base

ONE = sa.select(sa.literal(1))

AWAY = sa_exc.OperationalError("SELECT", {}, Exception("refused"))
DISCONNECTED = sa_exc.OperationalError(
    "SELECT", {}, Exception("gone away"), connection_invalidated=True
)


class SqliteFileTest(base.FolderCase):
    def open(self, path: str) -> engine.Database:
        connection = {"connection": f"sqlite:///{path}"}
        database = engine.Database(
            base.load_conf(self.folder, {"database": connection})
        )
        self.addCleanup(database.close)
        return database

    def test_missing_file_is_not_created(self) -> None:
        path = self.folder / "file"
        database = self.open(str(path))
        with self.assertRaises(errors.DatabaseUnavailable):
            database.read(ONE, int)
        with self.assertRaises(errors.DatabaseUnavailable):
            console_auth_tokens.delete(database, "a hash")
        self.assertFalse(path.exists())

    def test_name_of_file_may_contain_any_character(self) -> None:
        path = self.folder / "100% a&b#c=d é"
        path.touch()
        self.assertEqual([1], self.open(str(path)).read(ONE, int))

    def test_uri_of_the_operator_is_kept(self) -> None:
        uri = f"file:{self.folder}/file?mode=rwc&uri=true"
        self.assertEqual([1], self.open(uri).read(ONE, int))


class PoolTest(base.FolderCase):
    def test_pool_options_apply_to_reader(self) -> None:
        for size, overflow, timeout in ((3, 4, 7), (3, 0, 7)):
            options = {
                "max_pool_size": size,
                "max_overflow": overflow,
                "pool_timeout": timeout,
            }
            conf = base.load_conf(self.folder, {"database": options})
            reader = pools.create_reader(conf, pools.PoolGuard())
            self.addCleanup(reader.dispose)
            pool = reader.pool
            assert isinstance(pool, sa.QueuePool)
            with self.subTest(options):
                self.assertEqual(
                    (size, overflow, timeout),
                    (pool.size(), pool._max_overflow, pool.timeout()),
                )

    def test_close_releases_all_connections(self) -> None:
        database = engine.Database(base.load_conf(self.folder))
        (self.folder / "console_api.sqlite").touch()
        database.read(ONE, int)
        for idle in (1, 0):
            pool = database._reader.pool
            assert isinstance(pool, sa.QueuePool)
            self.assertEqual(idle, pool.checkedin())
            database.close()

    def test_missing_driver_is_named(self) -> None:
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
    def test_columns_are_passed_to_make(self) -> None:
        statement: Any = sa.select(sa.bindparam("one") + 1, sa.literal("x"))
        self.assertEqual(
            [{"number": 2, "text": "x"}],
            self.database.read(
                statement,
                lambda number, text: {"number": number, "text": text},
                {"one": 1},
            ),
        )

    def failing(self, *outcomes: object) -> Any:
        """Let reads end like this, one after the other."""
        return mock.patch.object(self.database, "_fetch", side_effect=outcomes)

    def test_read_on_dead_connections_is_repeated(self) -> None:
        lost = engine.ConnectionLost()
        with self.failing(lost, lost, [1]) as fetch:
            self.assertEqual([1], self.database.read(ONE, int))
        self.assertEqual(3, fetch.call_count)

    def test_repetitions_of_a_read_are_limited(self) -> None:
        with (
            self.failing(*[engine.ConnectionLost()] * 99) as fetch,
            self.assertRaises(errors.DatabaseUnavailable),
        ):
            self.database.read(ONE, int)
        self.assertEqual(3, fetch.call_count)

    def test_failed_connection_is_not_retried(self) -> None:
        with (
            self.failing(AWAY, [1]) as fetch,
            self.assertRaises(errors.DatabaseUnavailable),
        ):
            self.database.read(ONE, int)
        fetch.assert_called_once()

    def test_read_recovers_with_the_database(self) -> None:
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
                database.read(ONE, int)
        (self.folder / "away").mkdir()
        (self.folder / "away" / "file").touch()
        self.assertEqual([1], database.read(ONE, int))

    def test_errors_of_the_connection_are_unavailable(
        self,
    ) -> None:
        for error in (
            AWAY,
            sa_exc.InterfaceError("SELECT", {}, Exception("no socket")),
            sa_exc.TimeoutError("the pool is empty"),
        ):
            with self.subTest(type(error).__name__), self.failing(error):
                with self.assertRaises(errors.DatabaseUnavailable) as caught:
                    self.database.read(ONE, int)
                self.assertIs(error, caught.exception.__cause__)

    def test_errors_of_the_statement_are_raised(
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
                self.database.read(ONE, int)


class TransactionTest(base.DatabaseCase):
    def store(self, connection: sa.Connection) -> None:
        connection.execute(
            tables.console_hosts.insert(),
            {
                "host": "console-1",
                "console_type": "vnc",
                "public_hostname": "console-1",
                "compute_hosts": "*",
                "multiplex_port": 1,
                "enabled": True,
                "console_count": 0,
            },
        )

    def test_transaction_is_committed(self) -> None:
        with self.database.transaction() as connection:
            self.store(connection)
        self.assertEqual(1, len(self.rows(tables.console_hosts)))

    def test_error_rolls_transaction_back(self) -> None:
        with (
            self.assertRaises(ZeroDivisionError),
            self.database.transaction() as connection,
        ):
            self.store(connection)
            raise ZeroDivisionError
        self.assertEqual([], self.rows(tables.console_hosts))

    def test_write_without_database_is_unavailable(self) -> None:
        connection = f"sqlite:///{self.folder}/away/file"
        database = self.open_database(
            base.load_conf(
                self.folder, {"database": {"connection": connection}}
            )
        )
        with self.assertRaises(errors.DatabaseUnavailable):
            console_auth_tokens.delete(database, "a hash")

    def test_foreign_keys_are_enforced(self) -> None:
        with (
            self.assertRaises(db_exc.DBReferenceError),
            self.database.transaction() as connection,
        ):
            connection.execute(
                tables.server_endpoints.insert(), base.endpoint_row("vnc")
            )


class ParametersTest(base.DatabaseCase):
    def test_errors_do_not_contain_parameters(self) -> None:
        select: sa.Select[Any] = sa.select(sa.column("unknown")).where(
            sa.column("unknown") == sa.bindparam("value")
        )
        delete = sa.delete(sa.table("unknown")).where(
            sa.column("unknown") == sa.bindparam("value")
        )
        values = {"value": "secret"}
        with self.assertRaises(errors.DatabaseUnavailable) as caught:
            self.database.read(select, str, values)
        self.assertNotIn("secret", str(caught.exception.__cause__))
        with (
            self.assertRaises(db_exc.DBError) as refused,
            self.database.transaction() as connection,
        ):
            connection.execute(delete, values)
        self.assertNotIn("secret", str(refused.exception))
