# SPDX-License-Identifier: Apache-2.0
import inspect
import unittest

from console_api import errors


class ErrorsTest(unittest.TestCase):
    def test_every_error_has_the_same_root(self) -> None:
        for name, error in inspect.getmembers(errors, inspect.isclass):
            with self.subTest(name):
                self.assertTrue(issubclass(error, errors.ConsoleAPIError))

    def test_quoted_input_is_shortened(self) -> None:
        for error in (errors.ServerNotFound, errors.ConsoleNotFound):
            with self.subTest(error.__name__):
                message = str(error("x" * 10_000))
                self.assertIn("x" * 64, message)
                self.assertNotIn("x" * 65, message)

    def test_messages_that_clients_know_are_kept(self) -> None:
        for error, message in (
            (errors.TokenNotFound(), "Token not found"),
            (
                errors.TokenTypeNotAccessible(),
                "The requested console type details are not accessible",
            ),
            (errors.ServerNotReady("an-id"), "Instance an-id is not ready"),
            (
                errors.Forbidden("a:rule"),
                "Policy doesn't allow a:rule to be performed.",
            ),
        ):
            with self.subTest(message):
                self.assertEqual(message, str(error))

    def test_unavailable_database_is_not_described(self) -> None:
        message = str(errors.DatabaseUnavailable())
        self.assertEqual(
            "The database is unavailable. Retry the request later.",
            message,
        )
