# SPDX-License-Identifier: Apache-2.0
import threading
import unittest
from unittest import mock

from console_api.directory.calls import AbandonableCalls
from console_api.tests.waiting import TIMEOUT, wait_until


class AbandonableCallsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.calls = AbandonableCalls("test", 1)

    def test_future_has_result_or_exception(self) -> None:
        self.assertEqual("a", self.calls.start(lambda: "a").result(TIMEOUT))
        wait_until(self.has_room)
        with self.assertRaises(ZeroDivisionError):
            self.calls.start(lambda: 1 // 0).result(TIMEOUT)

    def has_room(self) -> bool:
        return self.calls.start(lambda: None).exception(TIMEOUT) is None

    def test_call_beyond_limit_fails_at_once(self) -> None:
        proceed = threading.Event()
        self.addCleanup(proceed.set)
        pending = self.calls.start(proceed.wait)
        with self.assertRaises(TimeoutError):
            self.calls.start(lambda: None).result(0)
        proceed.set()
        pending.result(TIMEOUT)
        wait_until(self.has_room)

    def test_thread_that_cannot_be_started_occupies_no_slot(self) -> None:
        with mock.patch.object(
            threading.Thread, "start", side_effect=RuntimeError("no threads")
        ):
            for _ in range(3):
                with self.assertRaisesRegex(TimeoutError, "no thread"):
                    self.calls.start(lambda: None).result(0)
        self.assertTrue(self.has_room())
