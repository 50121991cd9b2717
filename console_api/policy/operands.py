# SPDX-License-Identifier: Apache-2.0
"""Examine single checks, such as ``role:admin``, and what is meant instead."""

import re
from collections.abc import Container, Iterator, Sequence

from console_api.policy import characters, foreign, vocabulary
from console_api.policy.findings import shorten
from console_api.policy.vocabulary import Problem

# Bare words of other languages, by the check that they mean.
_CONSTANTS = {
    **dict.fromkeys(("true", "any", "all", "everyone", "anyone", "*"), "@"),
    **dict.fromkeys(("false", "none", "nobody", "no_one", "never"), "!"),
}

# Placeholders of other languages; for the whole value of a comparison.
_OTHER_PLACEHOLDER = re.compile(
    r"""[$%]?\{+ \s* ([\w.]+) \s* \}+ s?   # {x}, ${x}, %{x}s, {{x}}
    | \$\(? ([\w.]+) \)?s?                 # $x, $(x)
    | %\(? ([\w.]+) \)?[%dS]?              # %x, %x%, %(x), %(x)d
    | < ([\w.]+) >""",
    re.VERBOSE,
)


def examine(
    word: str, names: Container[str], following: Sequence[str] = ()
) -> Problem | None:
    """Return what is wrong with a single check, None if it is well formed.

    :param names: the names of all rules
    :param following: the words after it
    """
    if word in {"!", "@"}:
        return None
    return (
        _hidden(word)
        or foreign.find(word, following)
        or _quoted(word, names)
        or _bare(word, names)
        or _incomplete(word, following)
        or _unknown(word)
        or _placeholder(word)
    )


def _hidden(word: str) -> Problem | None:
    if not (found := characters.invisible(word)):
        return None
    return Problem(
        f'"{shorten(word)}" contains an invisible character, {found}.',
        "Remove it: type the check again.",
        word,
    )


def _quoted(word: str, names: Container[str]) -> Problem | None:
    kind, _colon, match = word.partition(":")
    if vocabulary.is_literal(kind) and not vocabulary.is_literal(word):
        return None
    ends = (kind[:1], match[:1], match[-1:])
    if any(end and end in vocabulary.QUOTES for end in ends):
        clean = word.translate(dict.fromkeys(map(ord, vocabulary.QUOTES)))
        if clean != word:
            return Problem(
                f'"{shorten(word)}" contains quotation marks, which belong to '
                "the check.",
                f"Write {shorten(clean)} without them."
                if ":" in clean
                else _suggest(clean, names),
                word,
            )
    return None


def _bare(word: str, names: Container[str]) -> Problem | None:
    if ":" in word and word not in names:
        return None
    return Problem(
        f'"{shorten(word)}" is not a check.', _suggest(word, names), word
    )


def _suggest(word: str, names: Container[str]) -> str:
    quoted = shorten(word)
    lowered = word.lower()
    if word in names:
        return f"Write rule:{quoted}."
    if lowered in vocabulary.PERSONAS:
        return f"Write role:{quoted}."
    if lowered in _CONSTANTS:
        sign = _CONSTANTS[lowered]
        who = "everyone" if sign == "@" else "no one"
        return f'Write "{sign}" for {who}.'
    if lowered in {"is_admin", "is_admin_project"}:
        return f"Write {lowered}:True."
    kind, *rest = re.split("[=.;/]+", word, maxsplit=1)
    if rest and kind in vocabulary.kinds() | vocabulary.CALLER_ATTRIBUTES:
        return f"Write {kind}:{shorten(rest[0].strip(vocabulary.QUOTES))}."
    return f"Write role:{quoted} for a role, or rule:{quoted} for a rule."


def _incomplete(word: str, following: Sequence[str]) -> Problem | None:
    if not word.endswith(":") or word.count(":") > 1:
        return None
    quoted = shorten(word)
    if following and following[0] not in {"(", ")", "and", "or", "not"}:
        return Problem(
            f'There is a space after "{quoted}".',
            f"Write {quoted}{shorten(following[0])} without a space.",
            word,
            1,
        )
    return Problem(f'There is nothing after "{quoted}".', "Complete it.", word)


def _unknown(word: str) -> Problem | None:
    kind, _colon, match = word.partition(":")
    known = vocabulary.kinds()
    if kind in known:
        return None
    quoted = shorten(kind)
    if kind.lower() in known:
        return Problem(
            f'"{quoted}:" is not a kind of check.',
            f"Write {kind.lower()}: in lower case.",
            word,
        )
    attribute, dot, _part = kind.partition(".")
    if dot and attribute in vocabulary.CALLER_ATTRIBUTES:
        return Problem(
            f'"{quoted}:" compares a part of {attribute}, which has none.',
            f"Write {attribute}:.",
            word,
        )
    if kind in {"is_admin", "is_admin_project"} and match not in {
        "True",
        "False",
    }:
        right = next(_capitalized(match), None)
        return Problem(
            f'"{kind}:{shorten(match)}" never passes.',
            f"Write {kind}:{right}."
            if right
            else f"Write {kind}:True or {kind}:False.",
            word,
        )
    if not (
        vocabulary.is_literal(kind) or kind.replace(".", "_").isidentifier()
    ):
        return Problem(
            f'"{quoted}:" is not a kind of check.',
            "Write role: or rule:, or an attribute of the caller.",
            word,
        )
    return None


def _capitalized(match: str) -> Iterator[str]:
    if match.lower() in {"true", "yes", "1"}:
        yield "True"
    elif match.lower() in {"false", "no", "0"}:
        yield "False"


def _placeholder(word: str) -> Problem | None:
    kind, _colon, match = word.partition(":")
    if "%" in vocabulary.PLACEHOLDER.sub("", match.replace("%%", "")):
        message = (
            f'"{shorten(word)}" has a "%" that is not part of a placeholder.'
        )
    elif kind in vocabulary.CALLER_ATTRIBUTES and (
        match in vocabulary.TARGET_ATTRIBUTES
        or _OTHER_PLACEHOLDER.fullmatch(match)
    ):
        message = f'"{shorten(match)}" is not a placeholder.'
    else:
        return None
    return Problem(message, "Write placeholders as %(project_id)s.", word)
