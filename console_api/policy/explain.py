# SPDX-License-Identifier: Apache-2.0
"""Explain decisions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oslo_policy import _checks, policy

from console_api.policy.findings import shorten
from console_api.policy.needs import Needs, of_check

# Maximum number of names or checks in the log.
_MAX_SHOWN = 20


def join(names: Sequence[str]) -> str:
    """Return names for the log: printable, of limited length and number."""
    shown = [shorten(name) for name in names[:_MAX_SHOWN]]
    if len(names) > _MAX_SHOWN:
        shown.append(f"and {len(names) - _MAX_SHOWN} more")
    return ", ".join(shown) or "none"


@dataclass(frozen=True, slots=True)
class Part:
    """A check, and the rule that it is a part of."""

    check: str
    rule: str

    def __str__(self) -> str:
        """Return them for people."""
        return f"{self.check} in {self.rule}"


def deciding_parts(
    enforcer: policy.Enforcer,
    rule: str,
    target: Mapping[str, Any],
    credentials: dict[str, Any],
    *,
    is_allowed: bool,
) -> list[Part]:
    """Return the checks that made a rule pass or fail.

    If it passes, each alternative that passes is included; if it fails, each
    check that fails, of which one may not suffice.  Other servers are not
    asked again: their checks are included, because they may have decided.

    :param is_allowed: whether the rule passes
    """
    if rule not in enforcer.rules:
        return [Part("undefined rule", rule)]
    explanation = _Explanation(enforcer, target, credentials)
    parts = explanation.parts(enforcer.rules[rule], rule, is_allowed)
    return list(dict.fromkeys(parts))


class _Explanation:
    """Evaluates the checks of a rule for one caller and target."""

    def __init__(
        self,
        enforcer: policy.Enforcer,
        target: Mapping[str, Any],
        credentials: dict[str, Any],
    ) -> None:
        self._enforcer = enforcer
        self._target = target
        self._credentials = credentials
        self._values: dict[int, bool | None] = {}

    def parts(
        self,
        tree: _checks.BaseCheck,
        rule: str,
        wanted: bool,
        negation: str = "",
    ) -> Iterator[Part]:
        """Iterate over the checks of a tree that have a value, or may have.

        :param negation: ``not`` if the tree is negated
        """
        if self._value(tree) is (not wanted):
            return
        match tree:
            case _checks.OrCheck() | _checks.AndCheck():
                for each in tree.rules:
                    yield from self.parts(each, rule, wanted, negation)
            case _checks.NotCheck():
                opposite = "" if negation else "not "
                yield from self.parts(tree.rule, rule, not wanted, opposite)
            case _checks.RuleCheck():
                other = self._enforcer.rules[tree.match]
                yield from self.parts(other, tree.match, wanted, negation)
            case _:
                yield Part(f"{negation}{tree}", rule)

    def _value(self, tree: _checks.BaseCheck) -> bool | None:
        """Return whether a tree passes, None if only a server knows."""
        key = id(tree)
        if key not in self._values:
            self._values[key] = self._evaluate(tree)
        return self._values[key]

    def _evaluate(self, tree: _checks.BaseCheck) -> bool | None:
        match tree:
            case _checks.OrCheck():
                return _any(map(self._value, tree.rules))
            case _checks.AndCheck():
                return _not(_any(_not(self._value(t)) for t in tree.rules))
            case _checks.NotCheck():
                return _not(self._value(tree.rule))
            case _checks.RuleCheck():
                return self._value(self._enforcer.rules[tree.match])
        needs = of_check(tree)
        if Needs.OUTSIDE in needs or (
            Needs.ADMIN in needs and "is_admin" not in self._credentials
        ):
            return None
        return bool(tree(self._target, self._credentials, self._enforcer))


def _any(values: Iterable[bool | None]) -> bool | None:
    found = set(values)
    if True in found:
        return True
    return None if None in found else False


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value
