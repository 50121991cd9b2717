# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api import errors
from console_api.cmd.manage import base


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


class ExplainedTest(unittest.TestCase):
    def test_our_own_errors_are_clear_as_they_are(self) -> None:
        error = errors.Conflict("Do that first.")
        self.assertIs(error, base.explained(error))

    def test_others_become_one_line(self) -> None:
        away = errors.DatabaseUnavailable
        for error, expected in (
            (
                caused(away(), ValueError("no route\n[SQL: SELECT 1]")),
                f"{away()} It said: no route",
            ),
            (away(), str(away())),
            (
                PermissionError(13, "Permission denied", "/keys/0"),
                "/keys/0: Permission denied. Run the command as a user who "
                "may do that.",
            ),
            (
                KeyError("a\nb"),
                "Unexpected KeyError: 'a\\nb'. Run the command again with "
                "--debug to see where it comes from.",
            ),
            (
                ValueError("a\nsecret"),
                "Unexpected ValueError: a. Run the command again with "
                "--debug to see where it comes from.",
            ),
        ):
            with self.subTest(repr(error)):
                self.assertEqual(expected, str(base.explained(error)))
