# SPDX-License-Identifier: Apache-2.0
"""The rules of all policy files together."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from oslo_policy import _checks

from console_api.policy.findings import Finding, Level
from console_api.policy.reader import Rule


@dataclass(slots=True)
class Policy:
    """The rules of policy files, with the defaults, and the findings.

    ``file_rules`` are all rules of the files.  ``checks`` are the checks of
    our rules and of all rules that they reference, a rule after those that it
    references; they are incomplete if there are broken rules.
    """

    file_rules: dict[str, Rule] = field(default_factory=dict)
    checks: dict[str, _checks.BaseCheck] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def broken(self) -> list[Finding]:
        """The findings that prevent the rules from being used."""
        return [each for each in self.findings if each.level is Level.BROKEN]

    def report(
        self, level: Level, name: str, message: str, remedy: str
    ) -> None:
        """Add a finding about a rule of a file."""
        rule = self.file_rules[name]
        self.findings.append(
            Finding(
                path=rule.path,
                line=rule.line,
                column=rule.column,
                level=level,
                rule=name,
                message=message,
                remedy=remedy,
            )
        )


def leaves(
    tree: _checks.BaseCheck, *, is_negated: bool = False
) -> Iterator[tuple[_checks.BaseCheck, bool]]:
    """Iterate over the checks of a tree, and whether each is negated."""
    if isinstance(tree, _checks.AndCheck | _checks.OrCheck):
        for each in tree.rules:
            yield from leaves(each, is_negated=is_negated)
    elif isinstance(tree, _checks.NotCheck):
        yield from leaves(tree.rule, is_negated=not is_negated)
    else:
        yield tree, is_negated


def references(tree: _checks.BaseCheck) -> list[str]:
    """Return the names of the rules that a check references."""
    return [
        leaf.match
        for leaf, _is_negated in leaves(tree)
        if isinstance(leaf, _checks.RuleCheck)
    ]
