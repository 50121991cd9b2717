# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api import errors
from console_api.cmd.explain import explain


def unavailable(cause: Exception) -> errors.DatabaseUnavailable:
    error = errors.DatabaseUnavailable()
    error.__cause__ = cause
    return error


class ExplainTest(unittest.TestCase):
    def test_errors_become_one_line(self) -> None:
        away = errors.DatabaseUnavailable()
        for error, expected in (
            (errors.Conflict("Do that first."), "Do that first."),
            (away, str(away)),
            (
                unavailable(ValueError("no route.\n[SQL: SELECT 1]")),
                f"{away} Cause: no route",
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
