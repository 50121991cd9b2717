# SPDX-License-Identifier: Apache-2.0
"""Findings about rules that can be loaded but may not do what is meant."""

import difflib
from collections.abc import Iterator

from oslo_policy import _checks, policy

from console_api import policies
from console_api.policy import language
from console_api.policy.findings import Level, shorten
from console_api.policy.rules import Policy, leaves, references

# Decides who is an administrator, besides the rules of operations.
_DECISIVE = "context_is_admin"

# How similar a name must be to one of ours to be taken for a misspelling.
_SIMILARITY = 0.9
_MAX_COMPARED = 500

# What to override instead of base rules that nothing references.
_INSTEAD = {
    "admin_api": "context_is_admin",
    "admin_or_owner": "project_member_or_admin and project_reader_or_admin",
    "owner": "project_member_api and project_reader_api",
}

_SCOPES = {
    "system_scope": "a token that is scoped to the system",
    "domain_id": "a token that is scoped to a domain",
}


def add_names(result: Policy) -> None:
    """Add the findings about names of rules."""
    defaults = [rule.name for rule in policies.list_rules()]
    known = {*defaults, *result.checks}
    unknown = [name for name in result.file_rules if name not in known]
    for name in unknown[:_MAX_COMPARED]:
        _add_unknown(result, name, defaults)


def add(result: Policy) -> None:
    """Add the findings about rules that are not broken."""
    defaults = {rule.name: rule for rule in policies.list_rules()}
    in_force = _in_force(result, defaults)
    constants = _constants(result)
    for name in result.file_rules:
        if name in in_force:
            _add_everyone(result, name, constants, defaults)
            _add_parts(result, name)
        elif name in defaults:
            _add_without_effect(result, name, defaults[name])


def _in_force(
    result: Policy, defaults: dict[str, policy.RuleDefault]
) -> set[str]:
    """Return the names of the rules that some decision depends on."""
    pending = [
        name
        for name, rule in defaults.items()
        if name == _DECISIVE or isinstance(rule, policy.DocumentedRuleDefault)
    ]
    found: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += references(result.checks[name])
    return found


def _constants(result: Policy) -> dict[str, bool | None]:
    """Return which checks always have the same result, by rule."""
    found: dict[str, bool | None] = {}
    for name, tree in result.checks.items():
        found[name] = _constant(tree, found)
    return found


def _constant(
    tree: _checks.BaseCheck, rules: dict[str, bool | None]
) -> bool | None:
    if isinstance(tree, _checks.RuleCheck):
        return rules[tree.match]
    if isinstance(tree, _checks.NotCheck):
        inner = _constant(tree.rule, rules)
        return None if inner is None else not inner
    if isinstance(tree, _checks.AndCheck | _checks.OrCheck):
        decisive = isinstance(tree, _checks.OrCheck)
        results = {_constant(each, rules) for each in tree.rules}
        if decisive in results:
            return decisive
        return None if None in results else not decisive
    if isinstance(tree, _checks.TrueCheck):
        return True
    never_passes = (
        isinstance(tree, _checks.FalseCheck)
        or language.unknown(tree)
        or _scope(tree)
    )
    return False if never_passes else None


def _scope(check: _checks.BaseCheck) -> str | None:
    """Return the scope that a check requires and no caller has."""
    if isinstance(check, _checks.GenericCheck) and check.match != "None":
        return _SCOPES.get(check.kind)
    return None


def _add_everyone(
    result: Policy,
    name: str,
    constants: dict[str, bool | None],
    defaults: dict[str, policy.RuleDefault],
) -> None:
    if constants[name] and name in defaults:
        result.report(
            Level.WARNING,
            name,
            "The rule lets everyone pass, whatever their roles and their "
            "project.",
            "Write who may pass, such as rule:project_member_or_admin, or "
            '"!" for no one.',
        )


def _add_parts(result: Policy, name: str) -> None:
    """Report parts that never pass and parts that ask other servers."""
    for leaf in _own_leaves(result, name):
        quoted = shorten(str(leaf))
        if missing := language.unknown(leaf):
            result.report(
                Level.ERROR,
                name,
                f'The part "{quoted}" never passes: {missing} does not exist.',
                "Write project_id:%(project_id)s for the server's project.",
            )
        elif scope := _scope(leaf):
            result.report(
                Level.ERROR,
                name,
                f'The part "{quoted}" never passes: it requires {scope}, '
                "which is refused before any rule.",
                "Write rule:context_is_admin or another persona.",
            )
        elif isinstance(leaf, _checks.Check) and leaf.kind in {
            "http",
            "https",
        }:
            result.report(
                Level.WARNING,
                name,
                f'The part "{quoted}" asks another server for each decision, '
                "and refuses if there is no answer within [oslo_policy] "
                "remote_timeout seconds.",
                "Set a short remote_timeout, and use https: with "
                "remote_ssl_verify_server_crt = true.",
            )


def _own_leaves(result: Policy, name: str) -> Iterator[_checks.BaseCheck]:
    """Iterate over the checks of a rule and of defaults that it references.

    Another rule of the files has findings of its own.
    """
    seen: set[str] = set()
    pending = [name]
    while pending:
        for leaf, _is_negated in leaves(result.checks[pending.pop()]):
            if not isinstance(leaf, _checks.RuleCheck):
                yield leaf
            elif leaf.match not in {*result.file_rules, *seen}:
                seen.add(leaf.match)
                pending.append(leaf.match)


def _add_without_effect(
    result: Policy, name: str, default: policy.RuleDefault
) -> None:
    if str(result.checks[name]) == str(default.check):
        return
    instead = _INSTEAD.get(name, "the rules of the operations")
    result.report(
        Level.ERROR,
        name,
        "The rule has no effect: no rule in force references it.",
        f"Override {instead} instead.",
    )


def _add_unknown(result: Policy, name: str, defaults: list[str]) -> None:
    if name == "default":
        result.report(
            Level.WARNING,
            name,
            "The rule default has no effect: a reference to a rule that is "
            "not defined is an error.",
            "Remove it.",
        )
        return
    similar = difflib.get_close_matches(
        name, defaults, n=1, cutoff=_SIMILARITY
    )
    if similar:
        result.report(
            Level.WARNING,
            name,
            "The rule has no effect: no operation has a rule of this name.",
            f"Write {similar[0]}, if that is meant.",
        )
