# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.agent.drivers.xvp import fields


class WordTest(unittest.TestCase):
    def test_word_is_quoted_only_if_it_contains_spaces(self) -> None:
        for text, written in (
            ("a", "a"),
            ("a b", '"a b"'),
            (" ", '" "'),
            ("'", "'"),
            ("\\", "\\"),
            ("a~!$", "a~!$"),
            ("v" * 80, "v" * 80),
        ):
            with self.subTest(text):
                self.assertEqual(written, fields.word(text, 80))

    def test_word_that_xvp_would_misread_is_refused(self) -> None:
        for text in ('"', 'a"b', "#", "a#", "a b#", "\t", "\n", "a\0", "é"):
            with (
                self.subTest(text),
                self.assertRaisesRegex(ValueError, "printable ASCII"),
            ):
                fields.word(text, 80)

    def test_length_is_limited(self) -> None:
        for text, reason in (("", "empty"), ("v" * 81, "at most 80")):
            with (
                self.subTest(text),
                self.assertRaisesRegex(ValueError, reason),
            ):
                fields.word(text, 80)


class PoolTest(unittest.TestCase):
    def test_name_with_colon_is_refused(self) -> None:
        self.assertEqual("p" * 79, fields.pool("p" * 79))
        for name, reason in (("a:b", "colon"), ("p" * 80, "at most 79")):
            with (
                self.subTest(name),
                self.assertRaisesRegex(ValueError, reason),
            ):
                fields.pool(name)


class ServerTest(unittest.TestCase):
    def test_name_of_control_domain_is_refused(self) -> None:
        for name in (
            *("192.0.2.1", "192.0.02.001"),
            *("Control domain on host: xs1", "CONTROL DOMAIN ON HOST: xs1"),
        ):
            with (
                self.subTest(name),
                self.assertRaisesRegex(ValueError, "host"),
            ):
                fields.server(name, is_multiplexed=False)
        for name in ("192.0.2", "v192.0.2.1", "192.0.2.1-web", "1234"):
            self.assertEqual(name, fields.server(name, is_multiplexed=False))

    def test_multiplexed_name_with_colon_is_refused(self) -> None:
        self.assertEqual("a:b", fields.server("a:b", is_multiplexed=False))
        with self.assertRaisesRegex(ValueError, "must not contain a colon"):
            fields.server("a:b", is_multiplexed=True)


class DomainTest(unittest.TestCase):
    def test_domain_may_be_empty(self) -> None:
        self.assertEqual('""', fields.domain(""))
        self.assertEqual("d" * 79, fields.domain("d" * 79))
        with self.assertRaisesRegex(ValueError, "at most 79"):
            fields.domain("d" * 80)


class HostTest(unittest.TestCase):
    def test_address_precedes_name(self) -> None:
        self.assertEqual("xs1", fields.host("xs1", None))
        self.assertEqual("192.0.2.1 xs1", fields.host("xs1", "192.0.2.1"))

    def test_length_of_name_is_limited(self) -> None:
        for address in (None, "192.0.2.1"):
            self.assertIn("h" * 80, fields.host("h" * 80, address))
            with self.assertRaisesRegex(ValueError, "at most 80"):
                fields.host("h" * 81, address)

    def test_address_must_be_a_dotted_quad(self) -> None:
        for address in ("", "192.0.2", "::1", "b", "192.0.2.1/32"):
            with (
                self.subTest(address),
                self.assertRaisesRegex(ValueError, "IPv4 address"),
            ):
                fields.host("xs1", address)
