# SPDX-License-Identifier: Apache-2.0
"""Writes that are tried again, and those that are not."""

from unittest import mock

from oslo_db import exception as db_exc
from sqlalchemy import exc as sa_exc

from console_api import errors
from console_api.db import engine
from console_api.tests.unit import base
from console_api.tests.unit.db.test_engine import AWAY


def refused(code: int) -> sa_exc.OperationalError:
    """Return an error of MariaDB."""
    return sa_exc.OperationalError("INSERT", {}, Exception(code, "refused"))


DEADLOCK = db_exc.DBDeadlock(refused(1213))


class RetriedTest(base.FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.sleep = self.enterContext(mock.patch("oslo_db.api.time.sleep"))

    def outcomes(self, *outcomes: object) -> mock.Mock:
        function = mock.Mock(side_effect=outcomes)
        function.__name__ = "a_write"
        return function

    def test_deadlock_is_retried(self) -> None:
        function = self.outcomes(DEADLOCK, DEADLOCK, "stored")
        self.assertEqual("stored", engine.retried(function)("a", key="b"))
        self.assertEqual([mock.call("a", key="b")] * 3, function.mock_calls)

    def test_retries_are_limited(self) -> None:
        function = self.outcomes(*[DEADLOCK] * 100)
        with self.assertRaises(errors.DatabaseUnavailable):
            engine.retried(function)()
        self.assertEqual(1 + engine._MAX_WRITE_RETRIES, function.call_count)
        waits = [call.args[0] for call in self.sleep.mock_calls]
        self.assertEqual(engine._MAX_WRITE_RETRIES, len(waits))
        self.assertLessEqual(max(waits), 1)

    def test_other_unavailability_is_not_retried(self) -> None:
        for error in (
            db_exc.DBConnectionError(AWAY),
            # A lock wait timeout: the lock is held for even longer.
            db_exc.DBDeadlock(refused(1205)),
            AWAY,
            sa_exc.TimeoutError("the pool is empty"),
        ):
            with self.subTest(type(error).__name__):
                function = self.outcomes(error)
                with self.assertRaises(errors.DatabaseUnavailable) as caught:
                    engine.retried(function)()
                self.assertIs(error, caught.exception.__cause__)
                function.assert_called_once_with()

    def test_changed_row_is_a_conflict(self) -> None:
        # Before oslo.db had an error of its own for it.
        changed = refused(1020)
        function = self.outcomes(changed, "stored")
        self.assertEqual("stored", engine.retried(function)())
        with self.assertRaises(errors.DatabaseUnavailable):
            engine.retried(self.outcomes(*[db_exc.DBError(changed)] * 100))()

    def test_lost_connection_is_replaced(self) -> None:
        lost = engine.ConnectionLost()
        function = self.outcomes(lost, lost, "stored")
        self.assertEqual("stored", engine.retried(function)())

    def test_new_connections_are_limited(self) -> None:
        lost = engine.ConnectionLost()
        lost.__cause__ = AWAY
        function = self.outcomes(*[lost] * 100)
        with self.assertRaises(errors.DatabaseUnavailable) as caught:
            engine.retried(function)()
        self.assertEqual(3, function.call_count)
        self.assertIs(AWAY, caught.exception.__cause__)

    def test_new_connections_are_limited_in_time(self) -> None:
        self.enterContext(mock.patch.object(engine, "_MAX_RECONNECT_TIME", -1))
        function = self.outcomes(engine.ConnectionLost(), "stored")
        with self.assertRaises(errors.DatabaseUnavailable):
            engine.retried(function)()

    def test_faulty_statement_is_raised(
        self,
    ) -> None:
        faulty = sa_exc.ProgrammingError("INSERT", {}, Exception("no column"))
        with self.assertRaises(db_exc.DBError):
            engine.retried(self.outcomes(db_exc.DBError(faulty)))()

    def test_other_errors_are_raised(self) -> None:
        function = self.outcomes(errors.Conflict("no"))
        with self.assertRaises(errors.Conflict):
            engine.retried(function)()
        function.assert_called_once_with()

    def test_name_of_function_is_kept(self) -> None:
        self.assertEqual("a_write", engine.retried(self.outcomes()).__name__)
