# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.policy import characters


class CharactersTest(unittest.TestCase):
    def test_invisible_characters_are_found(self) -> None:
        for text, name in (
            ("role:ad\u200bmin", "U+200B ZERO WIDTH SPACE"),
            ("a\u00a0b", "U+00A0 NO-BREAK SPACE"),
            ("\ufeffa", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
            ("a\u00adb", "U+00AD SOFT HYPHEN"),
            ("role:a\u202eb", "U+202E RIGHT-TO-LEFT OVERRIDE"),
            ("role:ad\u200dmin", "U+200D ZERO WIDTH JOINER"),
        ):
            with self.subTest(name):
                self.assertEqual(name, characters.invisible(text))

    def test_words_of_any_language_are_visible(self) -> None:
        for text in (
            "role:Pr\u00fcfer",
            "role:\u0938\u094d\u200d\u0930",
            "a b",
        ):
            with self.subTest(text):
                self.assertIsNone(characters.invisible(text))
                self.assertIsNone(characters.foreign(text))

    def test_letters_of_another_alphabet_are_found(self) -> None:
        self.assertEqual(
            "U+0430 CYRILLIC SMALL LETTER A",
            characters.foreign("\u0430dmin"),
        )
        self.assertIsNone(characters.foreign("\u0430\u0434\u043c\u0438\u043d"))
