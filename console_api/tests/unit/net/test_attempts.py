# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.net.attempts import Attempts


class AttemptsTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = 1000.0
        self.attempts = Attempts(8, 60, lambda: self.now)

    def test_each_wrong_one_is_answered_later(self) -> None:
        delays = [self.attempts.fail() for _ in range(8)]
        self.assertEqual([0.25, 0.5, 1, 2, 4, 8, 8, 8], delays)

    def test_too_many_lock_for_a_while(self) -> None:
        for _ in range(7):
            self.attempts.fail()
            self.assertFalse(self.attempts.is_locked())
        self.attempts.fail()
        for later, expected in ((0, True), (59, True), (60, False)):
            self.now = 1000.0 + later
            with self.subTest(later=later):
                self.assertEqual(expected, self.attempts.is_locked())
        self.assertEqual(0.25, self.attempts.fail())

    def test_the_right_one_forgets_them(self) -> None:
        for _ in range(7):
            self.attempts.fail()
        self.attempts.succeed()
        self.assertEqual(0.25, self.attempts.fail())
        self.assertFalse(self.attempts.is_locked())

    def test_any_number_may_be_allowed(self) -> None:
        attempts = Attempts(10_000, 60, lambda: self.now)
        delays = [attempts.fail() for _ in range(2_000)]
        self.assertEqual(8, delays[-1])
