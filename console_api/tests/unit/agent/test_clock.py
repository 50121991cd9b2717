# SPDX-License-Identifier: Apache-2.0
import time
import unittest
from unittest import mock

from console_api.agent import clock


class ClockComparisonTest(unittest.TestCase):
    def setUp(self) -> None:
        self.server_time = 1000
        self.now = 1000.0
        self.delay = 0.0
        self.comparison = clock.ClockComparison(self.read)
        self.enterContext(
            mock.patch.object(time, "time", side_effect=lambda: self.now)
        )

    def read(self) -> int:
        self.now += self.delay
        return self.server_time

    def logged(self) -> list[str]:
        with self.assertLogs(clock.LOG) as logs:
            clock.LOG.info("the end")
            self.comparison.run()
        return [record.getMessage() for record in logs.records[1:]]

    def test_small_differences_are_tolerated(self) -> None:
        for self.now in (995.5, 1000.0, 1000.9, 1005.9):
            with self.subTest(self.now):
                self.assertEqual([], self.logged())

    def test_slow_reads_are_tolerated(self) -> None:
        self.now, self.delay = 990.0, 20.0
        self.assertEqual([], self.logged())

    def test_difference_is_named_once(self) -> None:
        for self.now, expected in (
            (880.0, "120 s behind the clock of the database server"),
            (1121.0, "120 s ahead of the clock of the database server"),
        ):
            with self.subTest(self.now):
                self.comparison = clock.ClockComparison(self.read)
                [warning] = self.logged()
                self.assertIn(expected, warning)
                self.assertEqual([], self.logged())

    def test_correction_is_logged(self) -> None:
        self.now = 880.0
        self.logged()
        self.now = 1000.0
        self.assertEqual(
            ["The clock of this host is correct again."], self.logged()
        )
        self.assertEqual([], self.logged())
