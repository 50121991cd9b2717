# SPDX-License-Identifier: Apache-2.0
import argparse
import unittest

from console_api.cmd import arguments


class ArgumentTest(unittest.TestCase):
    def test_result_of_the_check_is_returned(self) -> None:
        self.assertEqual(5, arguments.argument(int)("5"))

    def test_message_of_the_check_reaches_argparse(self) -> None:
        def check(text: str) -> str:
            raise ValueError(f"must not be {text}")

        with self.assertRaisesRegex(
            argparse.ArgumentTypeError, "^must not be x$"
        ):
            arguments.argument(check)("x")


class PortTest(unittest.TestCase):
    def test_port_is_read_from_ascii_digits(self) -> None:
        self.assertEqual(5900, arguments.port("5900"))

    def test_other_strings_raise(self) -> None:
        for text in (
            *("", "x", "0", "-1", "1.5", " 1", "1\n", "1_0", "0x1"),
            *("\u0661", "9" * 5000),
        ):
            with (
                self.subTest(text[:9]),
                self.assertRaisesRegex(ValueError, "number from 1 to 65535"),
            ):
                arguments.port(text)
