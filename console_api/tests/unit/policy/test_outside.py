# SPDX-License-Identifier: Apache-2.0
import threading
import unittest
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from unittest import mock

from console_api.policy import outside
from console_api.policy.outside import OutsideChecks, Overload
from console_api.tests import waiting


class OutsideChecksTest(unittest.TestCase):
    def setUp(self) -> None:
        self.release = threading.Event()
        self.addCleanup(self.release.set)
        self.started: list[Future[bool]] = []

    def hang(self) -> bool:
        """Wait for a server that does not respond."""
        self.started.append(Future())
        return self.release.wait(waiting.TIMEOUT)

    def test_result_and_exception_are_passed_on(self) -> None:
        checks = OutsideChecks(1, waiting.TIMEOUT)
        for _ in range(3):
            self.assertTrue(checks.run(lambda: True))
            self.assertFalse(checks.run(lambda: False))
            with self.assertRaisesRegex(OSError, "refused"):
                checks.run(mock.Mock(side_effect=OSError("refused")))

    def test_decision_that_takes_too_long_fails(self) -> None:
        with self.assertRaisesRegex(TimeoutError, "after 0.01 s"):
            OutsideChecks(1, 0.01).run(self.hang)

    def test_request_beyond_the_limit_fails(self) -> None:
        self.enterContext(mock.patch.object(outside, "_MAX_WAIT", 0.01))
        checks = OutsideChecks(2, waiting.TIMEOUT)
        with ThreadPoolExecutor(2) as pool:
            hanging = [pool.submit(checks.run, self.hang) for _ in range(2)]
            waiting.wait_until(lambda: len(self.started) == 2)
            unreached: Callable[[], bool] = mock.Mock()
            with self.assertRaises(Overload):
                checks.run(unreached)
            self.release.set()
            self.assertEqual([True, True], [h.result() for h in hanging])
        unreached.assert_not_called()  # type: ignore[attr-defined]
        self.assertTrue(checks.run(lambda: True))

    def test_threads_that_no_request_waits_for_count(self) -> None:
        checks = OutsideChecks(1, 0.01)
        with self.assertRaises(TimeoutError):
            checks.run(self.hang)
        # At once, because the server is known not to respond.
        with (
            mock.patch.object(outside, "_MAX_WAIT", waiting.TIMEOUT),
            self.assertRaises(Overload),
        ):
            checks.run(lambda: True)
        self.release.set()

        def succeeds() -> bool:
            try:
                return checks.run(lambda: True)
            except Overload:
                return False

        waiting.wait_until(succeeds)

    def test_request_waits_for_others_that_end_soon(self) -> None:
        with mock.patch.object(outside, "_MAX_WAIT", waiting.TIMEOUT):
            checks = OutsideChecks(1, waiting.TIMEOUT)
            with ThreadPoolExecutor(5) as pool:
                futures = [
                    pool.submit(checks.run, lambda: True) for _ in range(20)
                ]
            self.assertEqual([True] * 20, [each.result() for each in futures])

    def test_thread_that_cannot_be_started_is_not_counted(self) -> None:
        checks = OutsideChecks(1, waiting.TIMEOUT)
        with (
            mock.patch.object(
                threading.Thread, "start", side_effect=RuntimeError
            ),
            self.assertRaises(RuntimeError),
        ):
            checks.run(lambda: True)
        self.assertTrue(checks.run(lambda: True))
