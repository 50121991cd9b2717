# SPDX-License-Identifier: Apache-2.0
"""Parse checks strictly.

oslo.policy takes a check that it cannot parse for one that always fails, so a
``not`` before it lets everyone pass.
"""

from collections.abc import Container, Iterator
from typing import cast

from oslo_policy import _checks, policy

from console_api.policy import foreign, operands
from console_api.policy.findings import shorten
from console_api.policy.values import CheckValue
from console_api.policy.vocabulary import Problem

# Limits of one check.
_MAX_WORDS = 1_000
_MAX_NESTING = 30
_MAX_PROBLEMS = 10


class CheckError(Exception):
    """A check is malformed."""

    def __init__(self, *problems: Problem) -> None:
        """Create the error."""
        super().__init__(*problems)
        self.problems = problems[:_MAX_PROBLEMS]


def parse(value: CheckValue, names: Container[str]) -> _checks.BaseCheck:
    """Return the tree of a check.

    :param names: the names of all rules, for better messages
    :raises CheckError: the check is malformed, or of an unknown kind
    """
    if isinstance(value, str):
        problems = _Grammar(value, names).problems() if value else []
        is_for_no_one = value.strip("() \n\t") == "!"
    else:
        problems = list(_list_problems(value, names))
        is_for_no_one = value == [["!"]]
    if problems:
        raise CheckError(*problems)
    # oslo.policy accepts both, but only text is in its types.
    rules = cast("dict[str, str]", {"": value})
    tree = policy.Rules.from_dict(rules)[""]
    if isinstance(tree, _checks.FalseCheck) and not is_for_no_one:
        raise CheckError(
            Problem("The check cannot be parsed.", "Simplify it.")
        )
    return tree


def mentioned(value: CheckValue) -> Iterator[str]:
    """Iterate over the rules that a check mentions, even a malformed one."""
    texts = (
        [value]
        if isinstance(value, str)
        else [check for checks in value for check in checks]
    )
    for text in texts:
        for word in split(text):
            kind, _colon, name = word.partition(":")
            if kind == "rule" and name:
                yield name


def split(text: str) -> Iterator[str]:
    """Split a check into words and parentheses, as oslo.policy does."""
    for word in text.split():
        rest = word.lstrip("(")
        yield from "(" * (len(word) - len(rest))
        clean = rest.rstrip(")")
        if clean:
            yield clean
        yield from ")" * (len(rest) - len(clean))


def ungrouped(value: CheckValue) -> str | None:
    """Return the first part of ``a or b and c`` that is read together.

    That is ``b and c``; None if there are parentheses around it.
    """
    if not isinstance(value, str):
        return None
    # Of each open parenthesis: whether there was an "or", and the words since.
    groups: list[tuple[bool, list[str]]] = [(False, [])]
    for word in [*split(value), ")"]:
        has_or, words = groups[-1]
        lowered = word.lower()
        if word == "(":
            groups.append((False, []))
        elif word == ")" or lowered == "or":
            text = " ".join(words)
            if has_or and "and" in map(str.lower, words):
                return text
            if word == ")":
                groups.pop()
                if not groups:
                    return None
                groups[-1][1].append("(...)")
            else:
                groups[-1] = (True, [])
        else:
            words.append(word)
    return None


def _list_problems(
    value: list[list[str]], names: Container[str]
) -> Iterator[Problem]:
    for check in (check for checks in value for check in checks):
        if len(check.split()) != 1:
            yield Problem(
                f'"{shorten(check)}" in the list is not one check.',
                'Write the rule as one text, such as "role:a or role:b".',
            )
        elif problem := operands.examine(check, names):
            yield problem


class _Grammar:
    """The grammar: operands, joined by ``and`` and ``or``."""

    def __init__(self, text: str, names: Container[str]) -> None:
        self._text = text
        self._names = names
        self._depth = self._nots = 0
        self._needs_operand = True
        self._of_operands: list[Problem] = []
        # Only the first, because it may cause the others.
        self._of_structure: Problem | None = None

    def problems(self) -> list[Problem]:
        """Return what is wrong with the text."""
        words = list(split(self._text))
        if len(words) > _MAX_WORDS:
            return [
                Problem(
                    f"The check has more than {_MAX_WORDS} parts.",
                    "Split it into several rules.",
                )
            ]
        while words:
            word = words.pop(0)
            del words[: self._take(word, words[:2])]
        if self._needs_operand:
            self._fail(
                "The check is blank or ends with an operator.", "Complete it."
            )
        if self._depth:
            self._fail(
                'A parenthesis is not closed: ")" is missing.', "Close it."
            )
        if self._of_structure:
            return [*self._of_operands, self._of_structure]
        return self._of_operands

    def _fail(self, message: str, remedy: str, word: str = "") -> None:
        if not self._of_structure:
            self._of_structure = Problem(message, remedy, word)

    def _take(self, word: str, following: list[str]) -> int:
        """Take a word; return how many words after it belong to it."""
        consumed = 0
        if word in "()":
            self._take_parenthesis(word)
        elif word.lower() in {"and", "or"}:
            self._expect(word, needs_operand=False)
            self._needs_operand = True
        elif word.lower() == "not":
            self._expect(word, needs_operand=True)
            self._nots += 1
        else:
            consumed = self._take_operand(word, following)
        if self._depth + self._nots > _MAX_NESTING:
            self._fail(
                "The check is nested too deeply.",
                "Split it into several rules.",
            )
        return consumed

    def _take_parenthesis(self, word: str) -> None:
        self._expect(word, needs_operand=word == "(")
        self._depth += 1 if word == "(" else -1
        if self._depth < 0:
            self._fail(
                'There is a ")" without a "(".', "Remove or complete it.", word
            )

    def _take_operand(self, word: str, following: list[str]) -> int:
        self._nots = 0
        if problem := operands.examine(word, self._names, following):
            self._of_operands.append(problem)
            # Whether there has to be an operator is unclear then.
            self._needs_operand = foreign.is_operator(word)
            return problem.following
        self._expect(word, needs_operand=True)
        self._needs_operand = False
        return 0

    def _expect(self, word: str, *, needs_operand: bool) -> None:
        if self._needs_operand == needs_operand:
            return
        if needs_operand:
            self._fail(
                f'There is no operator before "{shorten(word)}".',
                'Write "and" or "or" between two checks.',
                word,
            )
        else:
            self._fail(
                f'There is no check before "{shorten(word)}".',
                "Complete it.",
                word,
            )
