# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api import errors
from console_api.cmd.explain import explain


class ExplainTest(unittest.TestCase):
    def test_errors_become_one_line(self) -> None:
        for error, expected in (
            (errors.Conflict("Do that first."), "Do that first."),
            (
                errors.DatabaseUnavailable("No route."),
                "The database is unavailable: No route.",
            ),
            (
                PermissionError(13, "Permission denied", "/keys/0"),
                "/keys/0: Permission denied. Run the command as a user with "
                "permission.",
            ),
            (OSError(28, "No space left", "/x"), "/x: No space left."),
            (OSError(28, "No space left"), "No space left"),
            (OSError("timed out"), "timed out"),
        ):
            with self.subTest(repr(error)):
                self.assertEqual(expected, explain(error))
