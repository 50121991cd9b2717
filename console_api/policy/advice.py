# SPDX-License-Identifier: Apache-2.0
"""Findings about rules that can be loaded but may not do what is meant."""

from oslo_policy import policy

from console_api import policies
from console_api.policy import constants, language, parts
from console_api.policy.findings import Level, shorten
from console_api.policy.names import is_decisive
from console_api.policy.rules import Policy, references


def add(result: Policy) -> None:
    """Add the findings about rules that are not broken."""
    defaults = {rule.name: rule for rule in policies.list_rules()}
    in_force = _in_force(result, defaults)
    results = constants.constants(result)
    for name in filter(in_force.__contains__, result.file_rules):
        if name in defaults and results[name]:
            _add_everyone(result, name)
        parts.add(result, name, never=results[name] is False)
        _add_style(result, name)
        if name in defaults and str(result.checks[name]) == str(
            defaults[name].check
        ):
            _add_default(result, name)


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
        consequence="Anyone with a token for any project has this access.",
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
        "The rule is the same as its default.",
        "Remove it.",
        consequence="It stays the same if an upgrade changes the default.",
    )
