# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.net.failed_attempts import (
    AttemptHistory,
    AttemptLimits,
    FailedAttempts,
)


class FailedAttemptsTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = 1000.0
        self.attempts = FailedAttempts(AttemptLimits(8, 60, lambda: self.now))

    def delay_after_failure(self) -> float:
        """Record a wrong password; return the delay after it."""
        self.attempts.fail()
        return self.attempts.delay

    def test_delay_doubles_up_to_maximum(self) -> None:
        delays = [self.delay_after_failure() for _ in range(8)]
        self.assertEqual([0.25, 0.5, 1, 2, 4, 8, 8, 8], delays)

    def test_delay_passes(self) -> None:
        self.delay_after_failure()
        for later, expected in ((0, 0.25), (0.125, 0.125), (0.25, 0), (9, 0)):
            with self.subTest(later=later):
                self.now = 1000.0 + later
                self.assertEqual(expected, self.attempts.delay)

    def test_limit_locks_for_lockout_time(self) -> None:
        for _ in range(7):
            self.delay_after_failure()
            self.assertFalse(self.attempts.is_locked)
        self.delay_after_failure()
        for later, expected in ((0, True), (59, True), (60, False)):
            self.now = 1000.0 + later
            with self.subTest(later=later):
                self.assertEqual(expected, self.attempts.is_locked)
        self.assertTrue(self.attempts.has_failed)
        self.assertEqual(0.25, self.delay_after_failure())

    def test_success_resets_count_and_delay(self) -> None:
        for _ in range(7):
            self.delay_after_failure()
        self.attempts.succeed()
        self.assertFalse(self.attempts.has_failed)
        self.assertEqual(0.25, self.delay_after_failure())
        self.assertFalse(self.attempts.is_locked)

    def test_delay_with_large_limit_is_bounded(self) -> None:
        limits = AttemptLimits(10_000, 60, lambda: self.now)
        self.attempts = FailedAttempts(limits)
        self.assertEqual(
            8, [self.delay_after_failure() for _ in range(2_000)][-1]
        )


class AttemptHistoryTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = 1000.0
        limits = AttemptLimits(1, 10_000, lambda: self.now)
        self.history = AttemptHistory(limits, max_addresses=3)

    def test_consoles_and_addresses_count_separately(self) -> None:
        self.history.get(1, "a").fail()
        for console_id, address, expected in (
            (1, "a", True),
            (1, "b", False),
            (2, "a", False),
        ):
            with self.subTest(console_id, address=address):
                self.assertEqual(
                    expected, self.history.is_locked(console_id, address)
                )

    def test_least_recent_address_is_forgotten_beyond_limit(self) -> None:
        for address in ("a", "b", "c", "a", "d"):
            self.history.get(1, address).fail()
        locked = [a for a in "abcd" if self.history.is_locked(1, a)]
        self.assertEqual(["a", "c", "d"], locked)

    def test_address_is_remembered_while_it_is_locked_out(self) -> None:
        self.history.get(1, "a").fail()
        self.now += 9_999
        self.history.get(1, "b")
        self.assertTrue(self.history.is_locked(1, "a"))

    def test_address_is_forgotten_an_hour_after_lockout(self) -> None:
        self.history.get(1, "a").fail()
        self.now += 10_000 + 3601
        self.history.get(1, "b")
        self.assertFalse(self.history.get(1, "a").has_failed)
