# SPDX-License-Identifier: Apache-2.0
"""Writes that are tried again, and those that are not."""

from unittest import mock

from oslo_db import exception as db_exc
from sqlalchemy import exc as sa_exc

from console_api import errors
from console_api.db import engine
from console_api.tests.unit import base
from console_api.tests.unit.db.test_engine import AWAY, DISCONNECTED


class RetriedTest(base.FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.sleep = self.enterContext(mock.patch("oslo_db.api.time.sleep"))

    def outcomes(self, *outcomes: object) -> mock.Mock:
        function = mock.Mock(side_effect=outcomes)
        function.__name__ = "a_write"
        return function

    def test_a_write_that_lost_is_tried_again(self) -> None:
        lost = db_exc.DBDeadlock(DISCONNECTED)
        function = self.outcomes(lost, lost, "stored")
        self.assertEqual("stored", engine.retried(function)("a", key="b"))
        self.assertEqual([mock.call("a", key="b")] * 3, function.mock_calls)

    def test_a_write_that_always_loses_is_given_up(self) -> None:
        function = self.outcomes(*[db_exc.DBDeadlock(DISCONNECTED)] * 100)
        with self.assertRaises(errors.DatabaseUnavailable):
            engine.retried(function)()
        self.assertEqual(1 + engine._WRITE_TRIES, function.call_count)
        waits = [call.args[0] for call in self.sleep.mock_calls]
        self.assertEqual(engine._WRITE_TRIES, len(waits))
        self.assertLessEqual(max(waits), 1)

    def test_a_database_that_is_away_is_not_tried_again(self) -> None:
        for error in (
            db_exc.DBConnectionError(DISCONNECTED),
            AWAY,
            sa_exc.TimeoutError("the pool is empty"),
        ):
            with self.subTest(type(error).__name__):
                function = self.outcomes(error)
                with self.assertRaises(errors.DatabaseUnavailable) as caught:
                    engine.retried(function)()
                self.assertIs(error, caught.exception.__cause__)
                function.assert_called_once_with()

    def test_a_database_that_is_read_only_says_that_it_is_away(self) -> None:
        for error in (
            db_exc.DBError(
                sa_exc.InternalError("INSERT", {}, Exception("read-only"))
            ),
            sa_exc.OperationalError("INSERT", {}, Exception("--read-only")),
        ):
            with self.subTest(type(error).__name__):
                function = self.outcomes(error)
                with self.assertRaises(errors.DatabaseUnavailable):
                    engine.retried(function)()
                function.assert_called_once_with()

    def test_a_faulty_statement_is_not_taken_for_an_absent_database(
        self,
    ) -> None:
        faulty = sa_exc.ProgrammingError("INSERT", {}, Exception("no column"))
        with self.assertRaises(db_exc.DBError):
            engine.retried(self.outcomes(db_exc.DBError(faulty)))()

    def test_other_errors_pass(self) -> None:
        function = self.outcomes(errors.Conflict("no"))
        with self.assertRaises(errors.Conflict):
            engine.retried(function)()
        function.assert_called_once_with()

    def test_the_name_of_the_write_is_kept(self) -> None:
        self.assertEqual("a_write", engine.retried(self.outcomes()).__name__)
