# SPDX-License-Identifier: Apache-2.0
import unittest
from collections.abc import Callable
from typing import Any

from console_api import values
from console_api.tests.unit.base import SERVER, UNKNOWN_SERVER

UNPRINTABLE = "must not contain line breaks, tabs, or other control or"
WHITESPACE = "must not contain whitespace"
HOST = "must be a host name or an IP address without a port, not "
PORT = "must be a number from 1 to 65535, not "
LETTERS = "abcdefab-cdef-4abc-8def-abcdefabcdef"

TEXTS = ("a", "é", "\U0001f600", "'\"", "x" * 255)

# Persian, Devanagari, a family of emoji, the flag of pirates.
JOINED = (
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "\u0915\u094d\u200d\u0937",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f3f4\u200d\u2620\ufe0f",
)

INVALID_TEXTS = (
    ("", "must not be empty"),
    ("x" * 256, "must have at most 255 characters, not 256"),
    (5, "must be a string, not 5"),
    (True, "must be a string, not true"),
    (None, "must be a string, not null"),
    ([], "must be a string, not a list"),
    ({}, "must be a string, not an object"),
    # Control characters; invisible characters and those that change the
    # direction of writing; line separators; surrogates.
    *((f"a{char}b", UNPRINTABLE) for char in "\0\n\r\t\x1b\x7f\x85"),
    *(
        (f"a{char}b", UNPRINTABLE)
        for char in "\xad\u200b\u200d\u202e\u2066\ufeff\U000e0061"
    ),
    *((f"a{char}b", UNPRINTABLE) for char in "\u2028\u2029\ud800\udcff"),
    # Joiners of nothing.
    *((text, UNPRINTABLE) for text in ("\u200d", "a\u200cb", "a\u200d\u0937")),
    # Other invisible characters between joined ones.
    ("\u0645\u200c\u200b\u062e", UNPRINTABLE),
)

INVALID_WORDS = (
    *INVALID_TEXTS,
    *((text, WHITESPACE) for text in ("a b", " a", "a\u00a0b", "a\u3000")),
    *((text, UNPRINTABLE) for text in JOINED),
)

ADDRESSES = ("192.0.2.1", "::1", "2001:db8::1", "fe80::1%eth0")

WORDS = (*TEXTS, "compute-*", "[::1]", "vnc+xvp")

#: The function, the values that it returns as they are, and those that it
#: refuses, each with a part of the message.
NO_PROTOCOLS: tuple[Any, ...] = ("", "VNC", "ssh", None, 5, [], {})

CASES: tuple[tuple[Callable[[Any], object], Any, Any], ...] = (
    (values.text, (*TEXTS, *JOINED, "a b"), INVALID_TEXTS),
    (values.name, (*TEXTS, *JOINED, "a b"), INVALID_TEXTS),
    (values.host, WORDS, INVALID_WORDS),
    (
        values.endpoint_host,
        ("compute-1", "c_1.example.org.", "b\xfccher.org", *ADDRESSES),
        (
            *INVALID_WORDS,
            *(
                (text, HOST)
                for text in (
                    *("10.0.0.1:5900", "compute-1:5900", "[::1]:5900"),
                    *("[10.0.0.1]", "[compute-1]", "[::1", "::1]", "[]"),
                    *("http://compute-1", "compute-1/", "root@compute-1"),
                    *("::g", "two..dots", "x" * 64),
                )
            ),
        ),
    ),
    (values.pattern, WORDS, INVALID_WORDS),
    (
        values.console_type,
        ("vnc", "vnc+xvp", "x" * 32),
        (
            ("x" * 33, "must have at most 32 characters, not 33"),
            ("a b", WHITESPACE),
            ("", "must not be empty"),
        ),
    ),
    (
        values.protocol,
        values.PROTOCOLS,
        tuple(
            (value, "must be one of vnc, spice, rdp, serial, mks, not ")
            for value in NO_PROTOCOLS
        ),
    ),
    (
        values.uuid,
        (SERVER, UNKNOWN_SERVER, LETTERS),
        (
            (LETTERS.upper(), f'in lowercase, not "{LETTERS.upper()}"'),
            ("x" * 500, f'not "{"x" * 39}...'),
            (None, "must be a UUID such as 00000000-"),
            (7, "not 7"),
        ),
    ),
    (
        values.port,
        (1, 5900, 65535),
        tuple(
            (value, PORT)
            for value in (0, -1, 65536, 10**30, True, 1.0, "5900", None)
        ),
    ),
)


class ValuesTest(unittest.TestCase):
    def test_valid_values_are_returned_unchanged(self) -> None:
        for check, valid, _invalid in CASES:
            for value in valid:
                with self.subTest(check=check.__name__, value=value):
                    self.assertEqual(value, check(value))

    def test_invalid_values_raise_with_the_reason(self) -> None:
        for check, _valid, invalid in CASES:
            for value, message in invalid:
                with self.subTest(check=check.__name__, value=value):
                    self.assert_refused(check, value, message)

    def test_brackets_of_address_are_dropped(self) -> None:
        for value, expected in (
            ("[::1]", "::1"),
            ("[2001:db8::1]", "2001:db8::1"),
        ):
            self.assertEqual(expected, values.endpoint_host(value))

    def test_strings_in_other_forms_are_not_uuids(self) -> None:
        for text in (
            "",
            LETTERS.upper(),
            SERVER.replace("-", ""),
            f"{{{SERVER}}}",
            f"{SERVER}\n",
            f" {SERVER}",
            f"{SERVER}0",
            UNKNOWN_SERVER.replace("f", "\uff46"),
            f"../{SERVER}",
            "\0",
            "x" * 10_000,
        ):
            with self.subTest(text[:50]):
                self.assertFalse(values.is_uuid(text))

    def test_port_range_includes_both_ends(self) -> None:
        for text, expected in (
            ("1-65535", range(1, 65536)),
            ("5-5", range(5, 6)),
            ("05900-5999", range(5900, 6000)),
        ):
            with self.subTest(text):
                self.assertEqual(expected, values.port_range(text))

    def test_invalid_port_ranges_raise_with_the_reason(self) -> None:
        form = "must be MIN-MAX, such as 5900-5999, not "
        for text, message in (
            ("2-1", "must begin with the lower port"),
            ("0-1", f"{PORT}0"),
            ("1-65536", f"{PORT}65536"),
            *(
                (text, form)
                for text in (
                    *("", "5900", "-5900", "1-", "1-2-3", " 1-2", "1-2\n"),
                    *("1_0-20", "0x1-5", "\u0661-9", f"1-{'9' * 5000}"),
                )
            ),
        ):
            with self.subTest(text[:50]):
                self.assert_refused(values.port_range, text, message)

    def test_patterns_are_returned_once_each_in_order(self) -> None:
        self.assertEqual(("b", "a-*"), values.patterns(["b", "a-*", "b"]))

    def test_invalid_patterns_raise_with_the_reason(self) -> None:
        longest = ["x" * 255, "y" * 255, "z" * 255, "w" * 254]
        self.assertEqual(5, len(values.patterns([*longest, "1"])))
        for given, message in (
            ([], "must contain at least one pattern"),
            ([""], "must not be empty"),
            (["a", "b c"], WHITESPACE),
            ([*longest, "12"], "must have at most 1024 characters in total"),
        ):
            with self.subTest(given):
                self.assert_refused(values.patterns, given, message)

    def assert_refused(
        self, check: Callable[[Any], object], value: object, message: str
    ) -> None:
        with self.assertRaises(ValueError) as caught:
            check(value)
        self.assertIn(message, str(caught.exception))
