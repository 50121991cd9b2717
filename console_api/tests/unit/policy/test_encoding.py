# SPDX-License-Identifier: Apache-2.0
import unittest
from pathlib import Path

from console_api.policy import encoding
from console_api.policy.findings import Level

_PATH = Path("policy.yaml")


class EncodingTest(unittest.TestCase):
    def test_utf_8_is_decoded(self) -> None:
        self.assertEqual(
            ("\u00fc\n", []), encoding.decode(_PATH, b"\xc3\xbc\n")
        )

    def test_each_other_line_is_reported(self) -> None:
        text, found = encoding.decode(_PATH, b"a\n\xfc\nb\n\xe4\n")
        self.assertEqual([2, 4], [each.line for each in found])
        self.assertEqual("a\n\ufffd\nb\n\ufffd\n", text)

    def test_number_of_lines_is_limited(self) -> None:
        _text, found = encoding.decode(_PATH, b"\xfc\n" * 1000)
        self.assertEqual(10, len(found))

    def test_wide_encodings_are_named(self) -> None:
        for name, words in (
            ("utf-16", "UTF-16"),
            ("utf-16-le", "UTF-16"),
            ("utf-16-be", "UTF-16"),
            ("utf-32", "UTF-32"),
        ):
            with self.subTest(name):
                text, [finding] = encoding.decode(
                    _PATH, '"a": "role:x"\n'.encode(name)
                )
                self.assertEqual("", text)
                self.assertEqual(Level.BROKEN, finding.level)
                self.assertIn(words, finding.message)

    def test_byte_order_mark_is_noted(self) -> None:
        text, [finding] = encoding.decode(_PATH, b"\xef\xbb\xbfa: b\n")
        self.assertEqual(("a: b\n", Level.NOTE), (text, finding.level))
