# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.net.failed_attempts import FailedAttempts


class FailedAttemptsTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = 1000.0
        self.attempts = FailedAttempts(8, 60, lambda: self.now)

    def test_delay_doubles_up_to_maximum(self) -> None:
        delays = [self.attempts.fail() for _ in range(8)]
        self.assertEqual([0.25, 0.5, 1, 2, 4, 8, 8, 8], delays)

    def test_limit_locks_for_lockout_time(self) -> None:
        for _ in range(7):
            self.attempts.fail()
            self.assertFalse(self.attempts.is_locked())
        self.attempts.fail()
        for later, expected in ((0, True), (59, True), (60, False)):
            self.now = 1000.0 + later
            with self.subTest(later=later):
                self.assertEqual(expected, self.attempts.is_locked())
        self.assertEqual(0.25, self.attempts.fail())

    def test_success_resets_count_and_delay(self) -> None:
        for _ in range(7):
            self.attempts.fail()
        self.attempts.succeed()
        self.assertEqual(0.25, self.attempts.fail())
        self.assertFalse(self.attempts.is_locked())

    def test_delay_with_large_limit_is_bounded(self) -> None:
        attempts = FailedAttempts(10_000, 60, lambda: self.now)
        delays = [attempts.fail() for _ in range(2_000)]
        self.assertEqual(8, delays[-1])
