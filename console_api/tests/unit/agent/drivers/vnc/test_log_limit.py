# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.agent.drivers.vnc.log_limit import LogLimit


class LogLimitTest(unittest.TestCase):
    def test_events_within_interval_are_counted(self) -> None:
        limit = LogLimit(3600)
        self.assertEqual([1, 0, 0], [limit.count() for _ in range(3)])

    def test_next_line_stands_for_all_events(self) -> None:
        limit = LogLimit(0)
        limit.count()
        limit._silent_until = float("inf")
        limit.count()
        limit._silent_until = 0
        self.assertEqual(2, limit.count())
