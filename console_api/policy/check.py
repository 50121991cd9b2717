# SPDX-License-Identifier: Apache-2.0
"""Check the rules of all policy files together, with the defaults.

A rule that is broken is never loaded, because what surrounds it may turn it
into one that grants: ``not``, another rule, or oslo.policy's rule ``default``.
Only rules that ours can reach are parsed: a policy file that was written for
Nova has hundreds of others.
"""

import difflib
import itertools
from collections.abc import Iterable, Sequence

from oslo_policy import _checks

from console_api import policies
from console_api.policy import advice, language
from console_api.policy.findings import Level, shorten
from console_api.policy.reader import Document
from console_api.policy.rules import Policy, leaves, references

# Maximum number of checks in a rule with all rules that it references.
_MAX_SIZE = 10_000
# Maximum length of a chain of references, which are evaluated recursively.
_MAX_CHAIN = 50
# Maximum number of names that are shown of a circle, or compared for a hint.
_MAX_SHOWN = 10
_MAX_COMPARED = 500

_TYPOGRAPHIC_QUOTES = set("\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb")


def check(documents: Sequence[Document]) -> Policy:
    """Return the policy of these files; later ones override earlier ones."""
    result = Policy()
    for document in documents:
        result.findings += document.findings
        result.file_rules.update((rule.name, rule) for rule in document.rules)
    for step in (_check_names, _parse, _sort, _check_negations, advice.add):
        if not result.broken:
            step(result)
    if result.checks:
        advice.add_names(result)
    order = [document.path for document in documents]
    result.findings.sort(
        key=lambda each: (order.index(each.path), each.line or 0)
    )
    return result


def _check_names(result: Policy) -> None:
    for name in result.file_rules:
        if set(name) & _TYPOGRAPHIC_QUOTES:
            result.report(
                Level.BROKEN,
                name,
                "The name contains typographic quotation marks.",
                "Write straight ones around it.",
            )


def _parse(result: Policy) -> None:
    """Parse our rules and all that they reference."""
    defaults = {rule.name: rule.check for rule in policies.list_rules()}
    names = defaults | result.file_rules
    pending = list(defaults)
    while pending:
        name = pending.pop()
        if name in result.checks:
            continue
        rule = result.file_rules.get(name)
        try:
            tree = (
                language.parse(rule.value, names) if rule else defaults[name]
            )
        except language.CheckError as error:
            result.report(Level.BROKEN, name, str(error), error.remedy)
            continue
        result.checks[name] = tree
        for other in references(tree):
            if other in names:
                pending.append(other)
            else:
                _report_undefined(result, name, other, names)


def _report_undefined(
    result: Policy, name: str, other: str, names: Iterable[str]
) -> None:
    compared = itertools.islice(names, _MAX_COMPARED)
    similar = difflib.get_close_matches(other, compared, n=1)
    result.report(
        Level.BROKEN,
        name,
        f"The rule references rule:{shorten(other)}, which is not defined.",
        f"Define it, or write rule:{shorten(similar[0])}."
        if similar
        else "Define it, or correct the name.",
    )


def _sort(result: Policy) -> None:
    """Sort the checks by references, and limit what each references."""
    pending = {name: references(c) for name, c in result.checks.items()}
    sizes: dict[str, int] = {}
    chains: dict[str, int] = {}
    while ready := [
        name for name, others in pending.items() if sizes.keys() >= {*others}
    ]:
        for name in ready:
            others = pending.pop(name)
            tree = result.checks[name]
            sizes[name] = sum(1 for _ in leaves(tree)) + sum(
                sizes[other] for other in others
            )
            chains[name] = 1 + max(
                (chains[each] for each in others), default=0
            )
            if sizes[name] > _MAX_SIZE or chains[name] > _MAX_CHAIN:
                result.report(
                    Level.BROKEN,
                    name,
                    "The rule is too large with the rules that it references.",
                    "Simplify it.",
                )
                return
    for name in pending:
        _report_circle(result, name, pending)
    result.checks = {name: result.checks[name] for name in sizes}


def _report_circle(
    result: Policy, name: str, pending: dict[str, list[str]]
) -> None:
    """Report a rule that is part of a circle or references one."""
    path = [name]
    while path[-1] not in path[:-1] and len(path) < _MAX_SHOWN:
        path.append(
            next(each for each in pending[path[-1]] if each in pending)
        )
    if name in result.file_rules:
        result.report(
            Level.BROKEN,
            name,
            "The rule references rules that reference each other in a circle: "
            f"{', '.join(map(shorten, path))}.",
            "Break the circle.",
        )


def _check_negations(result: Policy) -> None:
    """Check that no ``not`` is before something that never passes.

    Such a part would let everyone pass, such as the attribute of a user that
    does not exist.
    """
    negations: dict[str, set[bool]] = {}
    for rule in policies.list_rules():
        negations[rule.name] = {False}
    for name, tree in reversed(result.checks.items()):
        for leaf, is_negated in leaves(tree):
            found = {is_negated != each for each in negations[name]}
            if isinstance(leaf, _checks.RuleCheck):
                negations.setdefault(leaf.match, set()).update(found)
            elif True in found and (unknown := language.unknown(leaf)):
                result.report(
                    Level.BROKEN,
                    name,
                    f'"not" is before {unknown}, which never passes, so '
                    "everyone would pass.",
                    "Remove this part.",
                )
