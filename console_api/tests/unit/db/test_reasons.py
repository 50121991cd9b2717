# SPDX-License-Identifier: Apache-2.0
import sqlite3
import unittest

from oslo_db import exception as db_exc
from sqlalchemy import exc as sa_exc

from console_api import errors
from console_api.db import console_auth_tokens, schema
from console_api.db.engine import Database
from console_api.db.reasons import reason
from console_api.tests.unit import base
from console_api.tests.unit.db.test_failures import PostgreSQLError


class ReasonTest(unittest.TestCase):
    def test_known_errors_are_explained(self) -> None:
        for error, expected in (
            (Exception(1045, "Access denied"), "refuses the user or the pass"),
            (Exception(1049, "Unknown database 'x'"), "has no database with"),
            (Exception(1142, "INSERT command denied"), "lacks a right"),
            (Exception(1030, "Got error 28 from engine"), "disk .* is full"),
            (Exception(1290, "--read-only"), "server is read-only"),
            (PostgreSQLError("42501"), "lacks a right"),
            (PostgreSQLError("53100"), "disk .* is full"),
            (Exception('FATAL:  database "x" does not exist'), "no database"),
            (
                Exception("FATAL:  password authentication failed for user"),
                "write \\$ as \\$\\$",
            ),
            (sa_exc.TimeoutError("QueuePool limit"), "max_overflow"),
        ):
            with self.subTest(error.args):
                self.assertRegex(reason(error), expected)

    def test_other_errors_are_reported_by_their_first_line(self) -> None:
        for error in (
            Exception("no route\nto the server"),
            Exception(2003, "no route\nto the server"),
        ):
            dbapi_error = sa_exc.DBAPIError("SELECT secret", {}, error)
            for each in (error, dbapi_error, db_exc.DBError(dbapi_error)):
                self.assertEqual("no route", reason(each))
        self.assertEqual("KeyError", reason(KeyError()))


class SqliteFileTest(base.DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "console_api.sqlite"

    def assert_unavailable(self, expected: str) -> None:
        """Assert what the first and later operations report."""
        new = self.open_database(self.conf)
        for database in (self.database, new, self.database):
            for operation in (self.read, self.write):
                with (
                    self.subTest(operation.__name__),
                    self.assertNoLogs(level="WARNING"),
                    self.assertRaises(errors.DatabaseUnavailable) as caught,
                ):
                    operation(database)
                self.assertRegex(caught.exception.reason, expected)

    def read(self, database: Database) -> None:
        console_auth_tokens.find(database, "a hash", 0)

    def write(self, database: Database) -> None:
        console_auth_tokens.delete(database, "a hash")

    def test_damaged_file_is_reported(self) -> None:
        self.read(self.database)
        self.path.write_bytes(b"not a database" * 1000)
        self.assert_unavailable("The database is damaged, or its file is not")
        with self.assertRaises(errors.DatabaseUnavailable) as caught:
            schema.sync(self.conf)
        self.assertIn("The database is damaged", caught.exception.reason)

    def test_emptied_file_is_reported(self) -> None:
        self.read(self.database)
        self.path.write_bytes(b"")
        self.assert_unavailable("A table is missing. Run: console-api-manage")

    def test_replaced_file_is_used(self) -> None:
        content = self.path.read_bytes()
        self.path.write_bytes(b"not a database" * 1000)
        self.assert_unavailable("The database is damaged")
        restored = self.folder / "restored"
        restored.write_bytes(content)
        restored.rename(self.path)
        self.read(self.database)
        self.write(self.database)

    def test_full_disk_is_reported(self) -> None:
        with sqlite3.connect(self.path) as connection:
            connection.execute("PRAGMA max_page_count = 1")
            with self.assertRaises(sqlite3.OperationalError) as caught:
                connection.execute("CREATE TABLE more (id INTEGER)")
                connection.executemany(
                    "INSERT INTO more VALUES (?)", [(i,) for i in range(10**5)]
                )
            connection.rollback()
        connection.close()
        self.assertIn(
            "The disk of the database is full. Free or add space. "
            "(database or disk is full)",
            reason(caught.exception),
        )
