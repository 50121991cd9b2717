# SPDX-License-Identifier: Apache-2.0
import unittest

from oslo_db import exception as db_exc
from sqlalchemy import exc as sa_exc

from console_api.db import failures


class PostgreSQLError(Exception):
    def __init__(self, pgcode: str | None) -> None:
        super().__init__("refused\n")
        self.pgcode = pgcode


def wrapped(error: Exception) -> list[Exception]:
    """Return an error of a driver, and the same as libraries wrap it."""
    dbapi_error = sa_exc.DBAPIError("INSERT", {}, error)
    return [error, dbapi_error, db_exc.DBError(dbapi_error)]


class FailuresTest(unittest.TestCase):
    def test_errors_that_require_a_new_connection(self) -> None:
        for code in (1047, 1053, 1290, 1792, 1836, 1927):
            for error in wrapped(Exception(code, "refused")):
                with self.subTest(code, kind=type(error).__name__):
                    self.assertTrue(failures.requires_new_connection(error))
        for state in ("25006", "57P01", "57P03", "08006", "08P01"):
            for error in wrapped(PostgreSQLError(state)):
                with self.subTest(state, kind=type(error).__name__):
                    self.assertTrue(failures.requires_new_connection(error))

    def test_other_errors_keep_the_connection(self) -> None:
        for error in (
            Exception(1205, "Lock wait timeout exceeded"),
            Exception(1213, "Deadlock found"),
            Exception(1062, "Duplicate entry"),
            PostgreSQLError("23505"),
            PostgreSQLError("57014"),
            PostgreSQLError(None),
            Exception("no such table: servers"),
            Exception(),
        ):
            with self.subTest(error.args):
                self.assertFalse(failures.requires_new_connection(error))

    def test_conflicts(self) -> None:
        for error, expected in (
            (Exception(1213, "Deadlock found"), True),
            (Exception(1020, "Record has changed since last read"), True),
            (PostgreSQLError("40P01"), True),
            (PostgreSQLError("40001"), True),
            (Exception(1205, "Lock wait timeout exceeded"), False),
            (PostgreSQLError("55P03"), False),
        ):
            for each in wrapped(error):
                with self.subTest(error.args, kind=type(each).__name__):
                    self.assertEqual(expected, failures.is_conflict(each))
