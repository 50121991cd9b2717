# SPDX-License-Identifier: Apache-2.0
"""Findings about rules that can be loaded but may not do what is meant."""

from collections.abc import Mapping, Sequence

from oslo_policy import policy

from console_api import policies
from console_api.policy import constants, language, meaning, parts
from console_api.policy.comparison import Comparison
from console_api.policy.diagrams import TooComplexError
from console_api.policy.findings import Level, shorten
from console_api.policy.meaning import Meaning
from console_api.policy.names import is_decisive
from console_api.policy.redundancy import Redundancy
from console_api.policy.rules import Policy, references


def add(result: Policy) -> None:
    """Add the findings about rules that are not broken."""
    defaults = {rule.name: rule for rule in policies.list_rules()}
    in_force = _in_force(result, defaults)
    results = constants.constants(result)
    names = [name for name in result.file_rules if name in in_force]
    for name in names:
        if name in defaults and results[name]:
            _add_everyone(result, name)
        parts.add(result, name, never=results[name] is False)
        _add_style(result, name)
    if not names:
        return
    try:
        _add_meaning(result, names, results)
    except TooComplexError:
        if not result.broken:
            _add_too_complex(result, names)


def _add_meaning(
    result: Policy,
    names: Sequence[str],
    results: Mapping[str, bool | None],
) -> None:
    """Compare the rules with the defaults, and their parts with each other.

    :raises TooComplexError: they cannot be decided
    """
    comparison = Comparison(result)
    redundancy = Redundancy(result, comparison, results)
    overrides = []
    for name in names:
        if results[name] is None:
            redundancy.add(name)
        if name not in comparison.defaults:
            continue
        if comparison.is_same(name):
            _add_default(result, name)
        else:
            overrides.append(name)
    Meaning(result, comparison).add(
        overrides, {name for name in names if results[name]}
    )


def _add_too_complex(result: Policy, names: Sequence[str]) -> None:
    result.report(
        Level.WARNING,
        names[0],
        "The rules are too complex to be compared with the defaults.",
        "Use fewer roles and attributes, or review the rules by hand.",
        consequence="Who gains and who loses by them is not known.",
    )


def _in_force(
    result: Policy, defaults: dict[str, policy.RuleDefault]
) -> set[str]:
    """Return the names of the rules that some decision depends on."""
    pending = [name for name, rule in defaults.items() if is_decisive(rule)]
    found: set[str] = set()
    while pending:
        name = pending.pop()
        # Broken rules are missing.
        if name not in found and name in result.checks:
            found.add(name)
            pending += references(result.checks[name])
    return found


def _add_everyone(result: Policy, name: str) -> None:
    result.report(
        Level.SECURITY,
        name,
        "The rule lets everyone pass, whatever their roles and their project.",
        "Write who may pass, such as rule:project_member_or_admin, or "
        '"!" for no one.',
        consequence="Anyone with a token for any project may "
        f"{meaning.action(name)}.",
    )


def _add_style(result: Policy, name: str) -> None:
    """Report what people and the parser may read differently."""
    value = result.file_rules[name].value
    if not isinstance(value, str):
        text = str(result.checks[name])
        if text.startswith("("):
            text = text[1:-1]
        result.report(
            Level.NOTE,
            name,
            "The check is in the old syntax, a list of lists.",
            f'Write "{shorten(text)}".',
            consequence="It works: the outer list means or, the inner ones "
            "mean and.",
        )
    elif part := language.ungrouped(value):
        result.report(
            Level.WARNING,
            name,
            f'"{shorten(part)}" is read as one part, because "and" binds more '
            'tightly than "or".',
            f'Write "({shorten(part)})" if that is meant; otherwise, put '
            'parentheses around the parts that "or" joins.',
            consequence='Who passes a part before "or" need not pass '
            f'"{shorten(part.split()[-1])}".',
            part=part,
        )


def _add_default(result: Policy, name: str) -> None:
    result.report(
        Level.NOTE,
        name,
        "The rule decides the same as its default.",
        "Remove it.",
        consequence="It stays the same if an upgrade changes the default.",
    )
