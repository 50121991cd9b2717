# SPDX-License-Identifier: Apache-2.0
"""Parse checks strictly.

oslo.policy takes a check that it cannot parse for one that always fails, so a
``not`` before it lets everyone pass.
"""

import ast
import re
from collections.abc import Container, Iterator
from typing import cast

from oslo_context.context import RequestContext
from oslo_policy import _checks, policy

from console_api.policy.findings import shorten
from console_api.policy.reader import CheckValue

# Limits of one check.
_MAX_WORDS = 1_000
_MAX_NESTING = 30

#: What can be compared of a caller.
CALLER_ATTRIBUTES = frozenset(
    {*RequestContext(overwrite=False).to_policy_values(), "is_admin"}
)

#: What is known of the target.
TARGET_ATTRIBUTES = frozenset({"project_id"})

_ROLES = ("admin", "manager", "member", "reader", "service")

_OPERATORS = {"|": "or", "||": "or", "&": "and", "&&": "and", "!=": "not"}

_PLACEHOLDER = re.compile(r"%\(([^()]*)\)s")


class CheckError(Exception):
    """A check is malformed.

    The message is a sentence, and ``remedy`` another one.
    """

    def __init__(self, message: str, remedy: str) -> None:
        """Create the error."""
        super().__init__(message)
        self.remedy = remedy


def parse(value: CheckValue, names: Container[str]) -> _checks.BaseCheck:
    """Return the tree of a check.

    :param names: the names of all rules, for better messages
    :raises CheckError: the check is malformed, or of an unknown kind
    """
    if isinstance(value, str):
        if value:
            _Grammar(value, names).check()
        is_nobody = value.strip("() \n\t") == "!"
    else:
        for check in (check for checks in value for check in checks):
            if len(check.split()) != 1:
                raise CheckError(
                    f'"{shorten(check)}" in the list is not one check.',
                    'Write the rule as one text, such as "role:a or role:b".',
                )
            _check_operand(check, names)
        is_nobody = value == [["!"]]
    # oslo.policy accepts both, but only text is in its types.
    rules = cast("dict[str, str]", {"": value})
    tree = policy.Rules.from_dict(rules)[""]
    if isinstance(tree, _checks.FalseCheck) and not is_nobody:
        raise CheckError("The check cannot be parsed.", "Simplify it.")
    return tree


def unknown(check: _checks.BaseCheck) -> str | None:
    """Return the part of a comparison that does not exist, None if all do.

    Such a comparison never passes.
    """
    if not isinstance(check, _checks.GenericCheck | _checks.RoleCheck):
        return None
    for name in _PLACEHOLDER.findall(check.match):
        if name not in TARGET_ATTRIBUTES:
            return f"%({shorten(name)})s"
    if (
        isinstance(check, _checks.GenericCheck)
        and check.kind not in CALLER_ATTRIBUTES
        and not is_literal(check.kind)
    ):
        return f"{shorten(check.kind)}:"
    return None


class _Grammar:
    """The grammar: operands, joined by ``and`` and ``or``."""

    def __init__(self, text: str, names: Container[str]) -> None:
        self._text = text
        self._names = names
        self._depth = self._nots = 0
        self._needs_operand = True

    def check(self) -> None:
        """Check the text.

        :raises CheckError: it is malformed
        """
        words = list(_split(self._text))
        if len(words) > _MAX_WORDS:
            raise CheckError(
                f"The check has more than {_MAX_WORDS} parts.",
                "Split it into several rules.",
            )
        for word, following in zip(words, [*words[1:], ""], strict=False):
            self._take(word, following)
        if self._needs_operand:
            raise CheckError(
                "The check is blank or ends with an operator.", "Complete it."
            )
        if self._depth:
            raise CheckError(
                'A parenthesis is not closed: ")" is missing.', "Close it."
            )

    def _take(self, word: str, following: str) -> None:
        if word in "()":
            self._take_parenthesis(word)
        elif word.lower() in {"and", "or"}:
            self._take_operator(word)
        elif word.lower() == "not":
            self._expect(word, needs_operand=True)
            self._nots += 1
        else:
            self._take_operand(word, following)
        if self._depth + self._nots > _MAX_NESTING:
            raise CheckError(
                "The check is nested too deeply.",
                "Split it into several rules.",
            )

    def _take_parenthesis(self, word: str) -> None:
        self._expect(word, needs_operand=word == "(")
        self._depth += 1 if word == "(" else -1
        if self._depth < 0:
            raise CheckError(
                'There is a ")" without a "(".', "Remove or complete it."
            )

    def _take_operator(self, word: str) -> None:
        self._expect(word, needs_operand=False)
        self._needs_operand = True

    def _take_operand(self, word: str, following: str) -> None:
        _check_operand(word, self._names, following)
        self._expect(word, needs_operand=True)
        self._needs_operand = False
        self._nots = 0

    def _expect(self, word: str, *, needs_operand: bool) -> None:
        if self._needs_operand == needs_operand:
            return
        if needs_operand:
            raise CheckError(
                f'There is no operator before "{shorten(word)}".',
                'Write "and" or "or" between two checks.',
            )
        raise CheckError(
            f'There is no check before "{shorten(word)}".', "Complete it."
        )


def _split(text: str) -> Iterator[str]:
    """Split a check into words and parentheses, as oslo.policy does."""
    for word in text.split():
        rest = word.lstrip("(")
        yield from "(" * (len(word) - len(rest))
        clean = rest.rstrip(")")
        if clean:
            yield clean
        yield from ")" * (len(rest) - len(clean))


def _check_operand(
    word: str, names: Container[str], following: str = ""
) -> None:
    if word in {"!", "@"}:
        return
    quoted = shorten(word)
    if word in _OPERATORS:
        raise CheckError(
            f'"{word}" is not an operator.', f'Write "{_OPERATORS[word]}".'
        )
    if word.endswith(","):
        raise CheckError(
            "A comma does not join checks.", 'Write "or" or "and" instead.'
        )
    kind, colon, match = word.partition(":")
    if not colon or word in names:
        raise CheckError(f'"{quoted}" is not a check.', _suggest(word, names))
    if not match:
        raise CheckError(
            f'There is nothing after "{quoted}", or a space.',
            f"Write {quoted}{shorten(following)} without a space."
            if following and following not in "()"
            else "Complete it.",
        )
    _check_kind(kind, match)
    if "%" in _PLACEHOLDER.sub("", match.replace("%%", "")):
        raise CheckError(
            f'"{quoted}" has a "%" that is not part of a placeholder.',
            "Write placeholders as %(project_id)s.",
        )


def _suggest(word: str, names: Container[str]) -> str:
    quoted = shorten(word)
    if word in names:
        return f"Write rule:{quoted}."
    if word.lower() in _ROLES:
        return f"Write role:{quoted}."
    return f"Write role:{quoted} for a role, or rule:{quoted} for a rule."


def _check_kind(kind: str, match: str) -> None:
    known = {*_checks.registered_checks, *_checks.get_extensions()}
    if kind in known:
        return
    if kind.lower() in known:
        raise CheckError(
            f'"{shorten(kind)}:" is not a kind of check.',
            f"Write {kind.lower()}: in lower case.",
        )
    if kind in {"is_admin", "is_admin_project"} and match not in {
        "True",
        "False",
    }:
        raise CheckError(
            f'"{kind}:{shorten(match)}" never passes.',
            f"Write {kind}:True or {kind}:False.",
        )
    if not (is_literal(kind) or kind.replace(".", "_").isidentifier()):
        raise CheckError(
            f'"{shorten(kind)}:" is not a kind of check.',
            "Write role: or rule:, or an attribute of the caller.",
        )


def is_literal(kind: str) -> bool:
    """Return whether a check compares a literal, not an attribute."""
    try:
        literal(kind)
    except (SyntaxError, ValueError):
        return False
    return True


def literal(kind: str) -> str:
    """Return the text that a literal is compared as.

    :raises SyntaxError, ValueError: it is not a literal
    """
    return str(ast.literal_eval(kind))
