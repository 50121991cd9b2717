# SPDX-License-Identifier: Apache-2.0
"""No request takes notably more instructions than recorded."""

import unittest

from console_api.tests.functional import instructions


class InstructionsTest(unittest.TestCase):
    def test_counts_stay_below_limits(self):
        limits = instructions.limits()
        counts = instructions.count_operations()
        self.assertEqual(limits.keys(), counts.keys())
        for name, limit in limits.items():
            with self.subTest(name):
                self.assertLessEqual(counts[name], limit)
