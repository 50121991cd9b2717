# SPDX-License-Identifier: Apache-2.0
"""Checks that have the same result for every caller."""

from collections.abc import Mapping

from oslo_policy import _checks

from console_api.policy import vocabulary
from console_api.policy.rules import Policy

_SCOPES = {
    "system_scope": "a token that is scoped to the system",
    "domain_id": "a token that is scoped to a domain",
}


def constants(result: Policy) -> dict[str, bool | None]:
    """Return which checks always have the same result, by rule."""
    found: dict[str, bool | None] = {}
    for name, tree in result.checks.items():
        found[name] = of_tree(tree, found)
    return found


def of_tree(
    tree: _checks.BaseCheck, rules: Mapping[str, bool | None]
) -> bool | None:
    """Return the result of a check if it always has the same, else None.

    :param rules: the results of the rules that it references
    """
    if isinstance(tree, _checks.RuleCheck):
        return rules[tree.match]
    if isinstance(tree, _checks.NotCheck):
        inner = of_tree(tree.rule, rules)
        return None if inner is None else not inner
    if isinstance(tree, _checks.AndCheck | _checks.OrCheck):
        decisive = isinstance(tree, _checks.OrCheck)
        results = {of_tree(each, rules) for each in tree.rules}
        if decisive in results:
            return decisive
        return None if None in results else not decisive
    if isinstance(tree, _checks.TrueCheck) or is_for_everyone(tree):
        return True
    never_passes = (
        isinstance(tree, _checks.FalseCheck)
        or vocabulary.unknown(tree)
        or scope(tree)
        or is_false(tree)
    )
    return False if never_passes else None


def _literal(check: _checks.BaseCheck) -> bool | None:
    """Return the result of a comparison of two values, None for others."""
    if (
        not isinstance(check, _checks.GenericCheck)
        or not vocabulary.is_literal(check.kind)
        or "%" in check.match
    ):
        return None
    return vocabulary.literal(check.kind) == check.match


def is_for_everyone(check: _checks.BaseCheck) -> bool:
    """Return whether every caller that reaches the rules passes."""
    if not isinstance(check, _checks.GenericCheck):
        return False
    return bool(_literal(check)) or (
        check.match == "None" and check.kind in _SCOPES
    )


def is_false(check: _checks.BaseCheck) -> bool:
    """Return whether no caller passes a comparison of what exists."""
    return _literal(check) is False or (
        isinstance(check, _checks.GenericCheck)
        and check.kind == "project_id"
        and check.match == "None"
    )


def scope(check: _checks.BaseCheck) -> str | None:
    """Return the scope that a check requires and no caller has."""
    if isinstance(check, _checks.GenericCheck) and check.match != "None":
        return _SCOPES.get(check.kind)
    return None
