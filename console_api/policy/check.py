# SPDX-License-Identifier: Apache-2.0
"""Check the rules of all policy files together, with the defaults.

A rule that is broken is never loaded, because what surrounds it may turn it
into one that grants: ``not``, another rule, or oslo.policy's rule ``default``.
Only rules that ours can reach are parsed: a policy file that was written for
Nova has hundreds of others.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from oslo_policy import _checks

from console_api import policies
from console_api.policy import (
    advice,
    language,
    names,
    reader,
    spelling,
    vocabulary,
)
from console_api.policy.findings import shorten
from console_api.policy.reader import Document
from console_api.policy.rules import Policy, leaves, references

# Maximum number of checks in a rule with all rules that it references.
_MAX_SIZE = 10_000
# Maximum length of a chain of references, which are evaluated recursively.
_MAX_CHAIN = 50
# Maximum number of names that are shown of a circle.
_MAX_SHOWN = 10


def check_files(files: Mapping[Path, bytes]) -> Policy:
    """Return the policy of files with these contents, as ``check`` does."""
    return check([reader.read(path, data) for path, data in files.items()])


def check(documents: Sequence[Document]) -> Policy:
    """Return the policy of these files; later ones override earlier ones."""
    result = Policy()
    for document in documents:
        _add(result, document)
    _parse(result)
    _sort(result)
    _check_negations(result)
    names.add(result)
    advice.add(result)
    order = {document.path: n for n, document in enumerate(documents)}
    result.findings.sort(key=lambda each: (order[each.path], each.line or 0))
    return result


def _add(result: Policy, document: Document) -> None:
    result.findings += document.findings
    own: set[str] = set()
    for rule in document.rules:
        if rule.name in result.file_rules and rule.name not in own:
            result.overridden[rule.name] = result.file_rules[rule.name]
        own.add(rule.name)
        result.file_rules[rule.name] = rule
    result.unusable -= own
    result.unusable |= document.unusable


def _parse(result: Policy) -> None:
    """Parse our rules and all that they reference."""
    defaults = {rule.name: rule.check for rule in policies.list_rules()}
    known = {*defaults, *result.file_rules, *result.unusable}
    pending = [*defaults]
    seen = set(result.unusable)
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        rule = result.file_rules.get(name)
        if rule is None:
            result.checks[name] = defaults[name]
            pending += references(defaults[name])
            continue
        try:
            result.checks[name] = language.parse(rule.value, known)
        except language.CheckError as error:
            result.unusable.add(name)
            for problem in error.problems:
                result.report_broken(
                    name, problem.message, problem.remedy, part=problem.part
                )
        for other in dict.fromkeys(language.mentioned(rule.value)):
            if other in known:
                pending.append(other)
            else:
                result.unusable.add(name)
                _report_undefined(result, name, other, known)


def _report_undefined(
    result: Policy, name: str, other: str, known: Collection[str]
) -> None:
    similar = spelling.similar(other, known)
    result.report_broken(
        name,
        f"The rule references rule:{shorten(other)}, which is not defined.",
        f"Define it, or write rule:{shorten(similar)}."
        if similar
        else "Define it, or correct the name.",
        part=f"rule:{other}",
    )


def _sort(result: Policy) -> None:
    """Sort the checks by references, and limit what each references.

    Rules that cannot be used and those that reference them are removed.
    """
    pending = {
        name: references(tree)
        for name, tree in result.checks.items()
        if name not in result.unusable
    }
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
                result.report_broken(
                    name,
                    "The rule is too large with the rules that it references.",
                    "Simplify it.",
                )
                result.checks = {}
                return
    circular = {name: pending[name] for name in _circular(pending)}
    for name in circular:
        _report_circle(result, name, circular)
    result.checks = {name: result.checks[name] for name in sizes}


def _circular(pending: dict[str, list[str]]) -> list[str]:
    """Return the rules of circles and those that reference them.

    :param pending: the references of these, and of the rules that reference
        a rule that cannot be used
    """
    users: dict[str, list[str]] = {}
    for name, others in pending.items():
        for other in {*others}:
            users.setdefault(other, []).append(name)
    open_references = {
        name: sum(other in pending for other in {*others})
        for name, others in pending.items()
    }
    done = [name for name, count in open_references.items() if not count]
    for name in done:
        for user in users.get(name, ()):
            open_references[user] -= 1
            if not open_references[user]:
                done.append(user)
    return [name for name, count in open_references.items() if count]


def _report_circle(
    result: Policy, name: str, circular: dict[str, list[str]]
) -> None:
    """Report a rule that is part of a circle or references one."""
    path = [name]
    while path[-1] not in path[:-1] and len(path) < _MAX_SHOWN:
        path.append(
            next(each for each in circular[path[-1]] if each in circular)
        )
    if name in result.file_rules:
        result.report_broken(
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
            # A rule that only rules that cannot be used reference has none.
            found = {is_negated != e for e in negations.get(name, {False})}
            if isinstance(leaf, _checks.RuleCheck):
                negations.setdefault(leaf.match, set()).update(found)
            elif True in found and (missing := vocabulary.unknown(leaf)):
                result.report_broken(
                    name,
                    f'"not" is before {missing}, which never passes, so '
                    "everyone would pass.",
                    "Remove this part.",
                    part=str(leaf),
                )
                result.unusable.add(name)
    usable: dict[str, _checks.BaseCheck] = {}
    for name, tree in result.checks.items():
        if name not in result.unusable and usable.keys() >= {
            *references(tree)
        }:
            usable[name] = tree
    result.checks = usable
