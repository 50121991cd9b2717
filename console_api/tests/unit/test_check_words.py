# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.tests.functional import configuration
from tools import check_words


class BannedTest(unittest.TestCase):
    def test_phrases_are_read_from_word_list(self) -> None:
        source = (configuration.CHECKOUT / "CONTRIBUTING.rst").read_text()
        phrases = check_words.banned(source)
        self.assertIn("a blank", phrases)
        self.assertIn("by the way of", phrases)
        for phrase in phrases:
            with self.subTest(phrase):
                self.assertRegex(phrase, r"\A[\w' ]+\Z")


class FindTest(unittest.TestCase):
    def test_finds_whole_phrases_in_any_case_and_across_lines(self) -> None:
        for text, expected in (
            ("A blank.\n", [(1, "a blank")]),
            ("# It has a\n    # blank in it.\n", [(1, "a blank")]),
            ('one\n"has a "\n"blank"\n', [(2, "a blank")]),
            ("a blanket, data blank, not-a blank, A_BLANK\n", []),
            ('name("a blank")\n', []),
        ):
            with self.subTest(text):
                found = list(check_words.find(text, ["a blank"]))
                self.assertEqual(expected, found)

    def test_name_of_user_is_no_word(self) -> None:
        text = "    script_user nobody\n    nobody\n"
        found = list(check_words.find(text, ["nobody"]))
        self.assertEqual([(2, "nobody")], found)
