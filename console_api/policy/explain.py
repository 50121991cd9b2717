# SPDX-License-Identifier: Apache-2.0
"""Explain refusals, and what an edit of the policy files changed."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from oslo_policy import _checks, policy

from console_api.policy.findings import shorten
from console_api.policy.needs import Needs, of_check

# Maximum number of names, checks or changes in the log.
_MAX_SHOWN = 20


def join(names: Sequence[str]) -> str:
    """Return names for the log: printable, of limited length and number."""
    shown = [shorten(name) for name in names[:_MAX_SHOWN]]
    if len(names) > _MAX_SHOWN:
        shown.append(f"and {len(names) - _MAX_SHOWN} more")
    return ", ".join(shown) or "none"


def failed_checks(
    enforcer: policy.Enforcer,
    rule: str,
    target: Mapping[str, Any],
    credentials: dict[str, Any],
) -> list[str]:
    """Return the checks that a caller fails, each with the rule it is in.

    Passing one of them may not suffice.  Other servers are not asked again:
    if a rule asks some, their checks count as failed.
    """
    if rule not in enforcer.rules:
        return ["undefined rule"]
    failed = _Explanation(enforcer, target, credentials).failed(
        enforcer.rules[rule], rule
    )
    return list(dict.fromkeys(failed)) or [f"{enforcer.rules[rule]} in {rule}"]


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

    def failed(self, tree: _checks.BaseCheck, rule: str) -> list[str]:
        """Return the checks of a tree that fail, none if it passes."""
        match tree:
            case _checks.OrCheck():
                parts = [self.failed(each, rule) for each in tree.rules]
                return _flatten(parts) if all(parts) else []
            case _checks.AndCheck():
                return _flatten(self.failed(t, rule) for t in tree.rules)
            case _checks.NotCheck():
                passes = not self.failed(tree.rule, rule)
                return [f"{tree} in {rule}"] if passes else []
            case _checks.RuleCheck():
                return self.failed(
                    self._enforcer.rules[tree.match], tree.match
                )
        return [] if self._passes(tree) else [f"{tree} in {rule}"]

    def _passes(self, leaf: _checks.BaseCheck) -> bool:
        if Needs.OUTSIDE in of_check(leaf):
            return False
        return bool(leaf(self._target, self._credentials, self._enforcer))


def _flatten(parts: Iterable[list[str]]) -> list[str]:
    return list(itertools.chain.from_iterable(parts))


def changes(
    before: Mapping[str, _checks.BaseCheck],
    after: Mapping[str, _checks.BaseCheck],
) -> Iterator[str]:
    """Describe the rules whose checks differ, one line each.

    The lines are limited in number and length.
    """
    names = [
        name
        for name in dict.fromkeys([*before, *after])
        if str(before.get(name)) != str(after.get(name))
    ]
    for name in names[:_MAX_SHOWN]:
        old, new = (
            f'"{shorten(str(checks[name]))}"'
            if name in checks
            else "undefined"
            for checks in (before, after)
        )
        yield f"The policy rule {shorten(name)} is now {new}; it was {old}."
    if len(names) > _MAX_SHOWN:
        yield f"{len(names) - _MAX_SHOWN} more policy rules changed."
