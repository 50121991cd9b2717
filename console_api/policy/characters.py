# SPDX-License-Identifier: Apache-2.0
"""Characters that look like others or like nothing."""

import unicodedata

#: Quotation marks of word processors and other languages.
TYPOGRAPHIC_QUOTES = "\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"

# Words of some languages need them.
_JOINERS = "\u200c\u200d"


def invisible(text: str) -> str | None:
    """Return the first character that no one sees, as people look it up.

    Spaces other than the usual one count, since they look like it.

    :returns: code and name, such as ``U+200B ZERO WIDTH SPACE``
    """
    has_joiners = not text.translate(
        dict.fromkeys(map(ord, _JOINERS))
    ).isascii()
    for character in text:
        if character in _JOINERS and has_joiners:
            continue
        category = unicodedata.category(character)
        if category == "Cf" or (
            category in {"Zs", "Zl", "Zp"} and character != " "
        ):
            return describe(character)
    return None


def foreign(text: str) -> str | None:
    """Return the first letter of another alphabet than the rest of a word.

    A Cyrillic letter among Latin ones looks like one of them.
    """
    letters = [each for each in text if each.isalpha()]
    if not any(map(str.isascii, letters)):
        return None
    return next(
        (describe(each) for each in letters if _is_foreign(each)), None
    )


def describe(character: str) -> str:
    """Return the code and the name of a character."""
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X} {name}".strip()


def _is_foreign(letter: str) -> bool:
    alphabet, _, _ = unicodedata.name(letter, "").partition(" ")
    return alphabet in {"ARMENIAN", "CYRILLIC", "FULLWIDTH", "GREEK"}
