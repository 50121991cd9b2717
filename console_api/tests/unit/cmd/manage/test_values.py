# SPDX-License-Identifier: Apache-2.0
import unittest
from collections.abc import Callable, Iterable
from typing import Any

from console_api import errors
from console_api.cmd.manage import values
from console_api.tests.unit.base import SERVER

SHOWN = "characters that can be shown"
NUMBER = "must be a number from 1 to 65535, not "


class ValuesCase(unittest.TestCase):
    def assertAccepted(
        self, check: Callable[[Any], object], given: Iterable[object]
    ) -> None:
        for value in given:
            with self.subTest(value=value):
                self.assertEqual(value, check(value))

    def assertRefused(
        self,
        check: Callable[[Any], object],
        given: Iterable[tuple[object, str]],
    ) -> None:
        for value, message in given:
            with self.subTest(value=value):
                with self.assertRaises(errors.InvalidInput) as caught:
                    check(value)
                self.assertIn(message, str(caught.exception))


class TextTest(ValuesCase):
    def test_any_text_that_fits_is_accepted(self) -> None:
        self.assertAccepted(
            values.text, ["a", "a b", "é", "\U0001f600", "'\"", "x" * 255]
        )

    def test_what_cannot_be_stored_or_shown_is_refused(self) -> None:
        self.assertRefused(
            values.text,
            [
                ("", "must not be empty"),
                ("x" * 256, "at most 255 characters, not 256"),
                *((f"a{char}b", SHOWN) for char in "\0\n\r\t\x1b\x7f\x85"),
                # Invisible, another direction of writing, line separators.
                *(
                    (f"a{char}b", SHOWN)
                    for char in "\xad\u200b\u200d\u202e\u2066\ufeff\U000e0061"
                    "\u2028\u2029"
                ),
                ("\ud800", SHOWN),
                ("\udcff", SHOWN),
                (5, "must be a text, not 5"),
                (True, "must be a text, not true"),
                ([], "must be a text, not a list"),
                ({}, "must be a text, not an object"),
            ],
        )

    def test_hosts_and_types_have_no_blanks(self) -> None:
        for check in (values.host, values.console_type):
            self.assertAccepted(check, ["a", "compute-*", "[::1]", "vnc+xvp"])
            self.assertRefused(
                check,
                [
                    (text, "must have no blanks")
                    for text in ("a b", " a", "a ", "a\u00a0b", "a\u3000")
                ],
            )

    def test_types_are_short(self) -> None:
        self.assertAccepted(values.console_type, ["x" * 32])
        self.assertRefused(
            values.console_type, [("x" * 33, "at most 32 characters, not 33")]
        )


class ServerIdTest(ValuesCase):
    def test_a_canonical_uuid_is_accepted(self) -> None:
        self.assertAccepted(values.server_id, [SERVER])

    def test_any_other_form_is_refused(self) -> None:
        letters = "abcdefab-cdef-4abc-8def-abcdefabcdef"
        self.assertRefused(
            values.server_id,
            [
                (letters.upper(), f'in lower case, not "{letters.upper()}"'),
                (SERVER.replace("-", ""), "must be a UUID like 00000000-"),
                (f"{{{SERVER}}}", "must be a UUID"),
                (f"{SERVER}\n", "must be a UUID"),
                ("", "must be a UUID"),
                ("x" * 500, f'not "{"x" * 39}...'),
                (None, "must be a text, not null"),
                (7, "must be a text, not 7"),
            ],
        )


class PortTest(ValuesCase):
    def test_ports_are_numbers_in_range(self) -> None:
        self.assertAccepted(values.port, [1, 5900, 65535])
        self.assertRefused(
            values.port,
            [
                (value, NUMBER)
                for value in (0, -1, 65536, 10**30, True, 1.0, "5900", None)
            ],
        )

    def test_a_text_may_stand_for_a_port(self) -> None:
        self.assertEqual(5900, values.port_argument("5900"))
        self.assertRefused(
            values.port_argument,
            [
                (text, NUMBER)
                for text in (
                    "",
                    "x",
                    "-1",
                    "1.5",
                    " 1",
                    "1_0",
                    "\u0661",
                    "0x1",
                )
            ]
            + [("9" * 5000, NUMBER)],
        )

    def test_a_range_goes_from_the_lower_port_to_the_higher(self) -> None:
        for text, first, last in (("1-2", 1, 2), ("5-5", 5, 5)):
            self.assertEqual(
                {"min_port": first, "max_port": last, "multiplex_port": None},
                values.ports_argument(text),
            )
        self.assertRefused(
            values.ports_argument,
            [
                ("2-1", "must begin with the lower port"),
                ("5900", "must be MIN-MAX"),
                ("-5900", NUMBER),
                ("1-", NUMBER),
                ("1-65536", NUMBER),
                ("1-2-3", NUMBER),
            ],
        )

    def test_one_port_may_be_for_all(self) -> None:
        self.assertEqual(
            {"min_port": None, "max_port": None, "multiplex_port": 443},
            values.multiplex_port_argument("443"),
        )


class EndpointTest(ValuesCase):
    def test_what_is_not_given_is_null(self) -> None:
        self.assertEqual(
            {
                "protocol": "vnc",
                "host": "h",
                "port": 5900,
                "tls_port": None,
                "internal_access_path": None,
            },
            values.endpoint_argument("protocol=vnc,host=h,port=5900"),
        )

    def test_a_value_may_have_commas_and_equals_signs(self) -> None:
        path = '{"ticket": "a,b=c"}'
        self.assertEqual(
            {
                "protocol": "mks",
                "host": "2001:db8::1",
                "port": 902,
                "tls_port": 903,
                "internal_access_path": path,
            },
            values.endpoint_argument(
                f"internal_access_path={path},tls_port=903,protocol=mks,"
                "port=902,host=2001:db8::1"
            ),
        )

    def test_what_is_wrong_is_named(self) -> None:
        right = "protocol=vnc,host=h,port=1"
        self.assertRefused(
            values.endpoint_argument,
            [
                ("", "must be of KEY=VALUE"),
                ("vnc", '"vnc" is not'),
                ("color=red", '"color=red" is not'),
                ("host=h,port=1", "must have protocol="),
                ("protocol=vnc,port=1", "must have host="),
                ("protocol=vnc,host=h", "must have port="),
                (f"{right},port=2", "must have port only once"),
                (f"{right},color=red", "port must be a number from 1 to"),
                (f"{right},tls_port=0", "tls_port must be a number"),
                (f"{right},tls_port=", "tls_port must be a number"),
                (f"{right},internal_access_path=", "must not be empty"),
                ("protocol=ssh,host=h,port=1", "protocol must be one of vnc,"),
                ("protocol=vnc,host=,port=1", "host must not be empty"),
                ("protocol=vnc,host=a b,port=1", "host must have no blanks"),
            ],
        )
