# SPDX-License-Identifier: Apache-2.0
"""No request takes notably more instructions than have been recorded."""

import json
import unittest

from console_api.tests.functional import instructions

# How much more than the record is too much.
TOO_MUCH = 1.1


class InstructionsTest(unittest.TestCase):
    def test_no_request_takes_a_tenth_more_than_recorded(self):
        record = json.loads(instructions.RECORD.read_text())
        if instructions.PYTHON not in record:
            self.skipTest(
                f"No counts are recorded for Python {instructions.PYTHON}: "
                f"run python -m {instructions.__name__}"
            )
        recorded = record[instructions.PYTHON]
        counted = instructions.count_operations()
        self.assertEqual(recorded.keys(), counted.keys())
        for name, number in counted.items():
            with self.subTest(name):
                self.assertLessEqual(number, recorded[name] * TOO_MUCH)
