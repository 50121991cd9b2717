# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.agent.drivers.xvp import grammar
from console_api.agent.drivers.xvp.model import quote


class QuoteTest(unittest.TestCase):
    def test_words_are_read_as_they_were(self) -> None:
        for word in ("a", "a b", " ", "", "'", "\\", "a~!$", "VM"):
            with self.subTest(word):
                self.assertEqual(
                    ["HOST", word, "x"],
                    grammar.split(f"HOST {quote(word)} x"),
                )

    def test_words_that_cannot_be_written(self) -> None:
        for word in ('"', "#", "a#", "\t", "\n", "a\0", "é", "\x7f"):
            with (
                self.subTest(word),
                self.assertRaisesRegex(ValueError, "cannot hold"),
            ):
                quote(word)
