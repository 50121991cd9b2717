# SPDX-License-Identifier: Apache-2.0
"""Operators of other languages, and what to write instead."""

import re
from collections.abc import Sequence

from console_api.policy.findings import shorten
from console_api.policy.vocabulary import QUOTES, Problem

_OPERATORS = {
    **dict.fromkeys(("|", "||", "+", "xor"), "or"),
    **dict.fromkeys(("&", "&&"), "and"),
    **dict.fromkeys(("!=", "~"), "not"),
}
_COMPARISONS = {"=", "==", "!=", "is", "in", ":"}

# An operator without spaces around it.
_JOINED = re.compile(r"\|\||&&|[,;|&](?=(?:role|rule|project_id|is_admin):)")


def is_operator(word: str) -> bool:
    """Return whether a word joins checks in other languages."""
    return word in _OPERATORS or word[-1] in ",;"


def find(word: str, following: Sequence[str]) -> Problem | None:
    """Return what is wrong with an operator or a comparison."""
    return (
        _comparison(word, following)
        or _operator(word)
        or _joined(word)
        or _without_space(word)
    )


def _comparison(word: str, following: Sequence[str]) -> Problem | None:
    if not following or following[0] not in _COMPARISONS:
        return None
    quoted = shorten(word)
    value = following[1] if len(following) > 1 else "admin"
    return Problem(
        f'"{quoted} {following[0]}" is not a comparison.',
        f"Write {quoted}:{shorten(value.strip(QUOTES))} without spaces.",
        word,
        min(2, len(following)),
    )


def _operator(word: str) -> Problem | None:
    if word in _OPERATORS:
        return Problem(
            f'"{word}" is not an operator.',
            f'Write "{_OPERATORS[word]}".',
            word,
        )
    if word[-1] in ",;":
        sign = "comma" if word[-1] == "," else "semicolon"
        return Problem(
            f'A {sign} ("{word[-1]}") does not join checks.',
            'Write "or" or "and" instead.',
            word,
        )
    if word[0] in "!~-" and ":" in word:
        return Problem(
            f'"{word[0]}" is not an operator.',
            f"Write not {shorten(word[1:])}.",
            word,
        )
    return None


def _joined(word: str) -> Problem | None:
    found = _JOINED.search(word)
    if not found or word.startswith("http"):
        return None
    operator = "and" if "&" in found[0] else "or"
    return Problem(
        f'"{found[0]}" is not an operator.',
        f'Write "{operator}" with spaces around it.',
        word,
    )


def _without_space(word: str) -> Problem | None:
    found = re.match(r"(not|and|or)\(", word, re.IGNORECASE)
    if not found:
        return None
    return Problem(
        f'There is no space after "{found[1]}".',
        f'Write "{found[1].lower()} (".',
        word,
    )
