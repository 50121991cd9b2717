# SPDX-License-Identifier: Apache-2.0
"""Findings about names of rules: which have an effect, and which have not."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oslo_policy import policy

from console_api import policies
from console_api.policy import characters, language, needs, spelling
from console_api.policy.findings import Finding, Level, shorten
from console_api.policy.rules import Policy, references

if TYPE_CHECKING:
    from pathlib import Path

# Maximum number of unused rules that are reported one by one.
_MAX_UNUSED = 20

# Rules of services that name them without a colon, such as Neutron and Glance.
_OTHER_SERVICE = re.compile(
    r"(add|communitize|copy|create|deactivate|delete|download|get|list|manage"
    r"|modify|publicize|reactivate|remove|set|tasks|update|upload)_"
)

# What to write instead of deprecated base rules.
_INSTEAD = {
    "admin_api": needs.ADMIN_RULE,
    "admin_or_owner": "project_member_or_admin and project_reader_or_admin",
    "owner": "project_member_api and project_reader_api",
    "project_admin_api": needs.ADMIN_RULE,
}


@dataclass(frozen=True, slots=True)
class _Names:
    """The names in a policy.

    ``in_force`` are those that an operation depends on, ``unknown`` those
    that resemble ours, ``others`` the rules of other services, and
    ``of_others`` also those that they reference.
    """

    result: Policy
    defaults: dict[str, policy.RuleDefault]
    mentions: Mapping[str, Collection[str]]
    in_force: set[str]
    unknown: Mapping[str, spelling.Unknown]
    others: set[str]
    of_others: set[str]


def add(result: Policy) -> None:
    """Add the findings about names."""
    names = _collect(result)
    for name in result.file_rules:
        if name in names.in_force:
            _add_in_force(names, name)
        elif name in result.unusable:
            continue
        elif name in names.defaults:
            _add_without_effect(names, name)
        else:
            _add_unknown(names, name)
    _add_unused(names)
    _add_others(names)


def is_decisive(rule: policy.RuleDefault) -> bool:
    """Return whether an operation asks a rule by itself."""
    return rule.name == needs.ADMIN_RULE or isinstance(
        rule, policy.DocumentedRuleDefault
    )


def _collect(result: Policy) -> _Names:
    defaults = {rule.name: rule for rule in policies.list_rules()}
    mentions: dict[str, Collection[str]] = {
        name: references(rule.check) for name, rule in defaults.items()
    }
    for name, rule in result.file_rules.items():
        mentioned = set(language.mentioned(rule.value))
        if name in result.unusable:
            # What it is meant to reference is not known.
            mentioned.update(mentions.get(name, ()))
        mentions[name] = mentioned
    unknown = {
        name: found
        for name in result.file_rules
        if name not in defaults and (found := spelling.identify(name))
    }
    others = {
        name
        for name in result.file_rules
        if name not in defaults
        and name not in unknown
        and (":" in name or _OTHER_SERVICE.match(name))
    }
    decisive = [name for name, rule in defaults.items() if is_decisive(rule)]
    return _Names(
        result,
        defaults,
        mentions,
        in_force=_reachable(decisive, mentions),
        unknown=unknown,
        others=others,
        of_others=_reachable(others, mentions),
    )


def _reachable(
    roots: Iterable[str], mentions: Mapping[str, Collection[str]]
) -> set[str]:
    found: set[str] = set()
    pending = list(roots)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += mentions.get(name, ())
    return found


def _add_in_force(names: _Names, name: str) -> None:
    if earlier := names.result.overridden.get(name):
        names.result.report(
            Level.NOTE,
            name,
            f"The rule is also in {earlier.path}, line {earlier.line}.",
            "Remove one of the two, if this is not intended.",
            consequence="This one applies: files of policy.d are read after "
            "policy.yaml, in the order of their names.",
        )
    for other in sorted(names.mentions[name]):
        if other in _INSTEAD and other not in names.result.file_rules:
            names.result.report(
                Level.NOTE,
                name,
                f"rule:{other} is deprecated.",
                f"Write rule:{_INSTEAD[other].replace(' and ', ' or rule:')}.",
                consequence="It has the meaning that it had in Nova: "
                f"{names.defaults[other].check}.",
                part=f"rule:{other}",
            )


def _add_without_effect(names: _Names, name: str) -> None:
    """Report a default that is overridden although nothing uses it."""
    try:
        tree = language.parse(names.result.file_rules[name].value, ())
    except language.CheckError:
        pass
    else:
        if str(tree) == str(names.defaults[name].check):
            return
    instead = _INSTEAD.get(name, "the rules of the operations")
    names.result.report(
        Level.NOTE if name in names.of_others else Level.ERROR,
        name,
        "The rule has no effect: no rule in force references it.",
        f"Override {instead} instead.",
        consequence="All operations are decided as if the line were not "
        "there.",
    )


def _add_unknown(names: _Names, name: str) -> None:
    result = names.result
    if set(name) & set(characters.TYPOGRAPHIC_QUOTES):
        result.report_broken(
            name,
            "The name contains typographic quotation marks, so no operation "
            "has a rule of this name.",
            "Write straight ones around it.",
        )
    elif name == "default":
        _add_default(result)
    elif name in names.of_others or not (found := names.unknown.get(name)):
        return
    elif name.endswith(spelling.DISCOVERABLE):
        result.report(
            Level.NOTE,
            name,
            f"Rules that end with {spelling.DISCOVERABLE} were removed from "
            "the compute API.",
            "Remove it.",
            consequence="The line is ignored.",
        )
    else:
        result.report(
            Level.WARNING,
            name,
            found.message,
            f"Write {', '.join(found.meant)}, if that is meant."
            if found.meant
            else "Remove it.",
            consequence=_ignored(result, found),
        )


def _ignored(result: Policy, found: spelling.Unknown) -> str:
    """Return the consequence of a name that no operation has."""
    kept = [each for each in found.meant if each not in result.file_rules]
    match kept:
        case []:
            return "The line is ignored."
        case [name]:
            return f"The line is ignored: {name} has its default."
    return "The line is ignored: these rules have their defaults."


def _add_default(result: Policy) -> None:
    """Report the rule that oslo.policy takes for undefined ones."""
    lets_everyone = result.file_rules["default"].value in ("", "@", [["@"]])
    result.report(
        Level.ERROR if lets_everyone else Level.NOTE,
        "default",
        "The rule default has no effect: a reference to a rule that is not "
        "defined is an error.",
        "Remove it.",
        consequence="Other services would let everyone pass where a rule is "
        "not defined."
        if lets_everyone
        else "The line is ignored.",
    )


def _add_unused(names: _Names) -> None:
    """Report rules that look like base rules and are not referenced."""
    result = names.result
    known = {
        *names.defaults,
        *names.in_force,
        *names.of_others,
        *names.unknown,
        *result.unusable,
        "default",
    }
    unused = [
        name
        for name in result.file_rules
        if name not in known
        and not set(name) & set(characters.TYPOGRAPHIC_QUOTES)
    ]
    for name in unused[:_MAX_UNUSED]:
        result.report(
            Level.WARNING,
            name,
            "The rule has no effect: no rule references "
            f"rule:{shorten(name)}.",
            "Reference it, or remove it.",
            consequence="The line is ignored.",
        )
    if len(unused) > _MAX_UNUSED:
        rule = result.file_rules[unused[_MAX_UNUSED]]
        result.findings.append(
            Finding(
                path=rule.path,
                line=rule.line,
                level=Level.WARNING,
                message=f"{len(unused) - _MAX_UNUSED} more rules from this "
                "line on have no effect: no rule references them.",
                consequence="The lines are ignored.",
                remedy="Reference them, or remove them.",
            )
        )


def _add_others(names: _Names) -> None:
    """Report the rules of other services at once, by file."""
    counts: dict[Path, int] = {}
    for name in names.others:
        path = names.result.file_rules[name].path
        counts[path] = counts.get(path, 0) + 1
    for path, count in counts.items():
        names.result.findings.append(
            Finding(
                path=path,
                level=Level.NOTE,
                message=f"{count} rules are of operations of other services."
                if count > 1
                else "1 rule is of an operation of another service.",
                consequence="They have no effect here and are not examined.",
                remedy="Nothing has to be done.",
            )
        )
