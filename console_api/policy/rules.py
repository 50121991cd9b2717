# SPDX-License-Identifier: Apache-2.0
"""The rules of all policy files together."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from oslo_policy import _checks

from console_api.policy.findings import REFUSED, Finding, Level
from console_api.policy.reader import Rule


@dataclass(slots=True)
class Policy:
    """The rules of policy files, with the defaults, and the findings.

    ``file_rules`` are the rules of the files, ``overridden`` those that a
    later file replaces, and ``unusable`` the names of rules whose values are
    broken.  ``checks`` are the checks of our rules and of all rules that they
    reference, a rule after those that it references.  If there are broken
    rules, these and all that reference them are missing.
    """

    file_rules: dict[str, Rule] = field(default_factory=dict)
    overridden: dict[str, Rule] = field(default_factory=dict)
    unusable: set[str] = field(default_factory=set)
    checks: dict[str, _checks.BaseCheck] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def broken(self) -> list[Finding]:
        """The findings that prevent the rules from being used."""
        return [each for each in self.findings if each.level is Level.BROKEN]

    def report(
        self,
        level: Level,
        name: str,
        message: str,
        remedy: str,
        *,
        consequence: str,
        part: str = "",
    ) -> None:
        """Add a finding about a rule of a file.

        :param part: the part of the check that it is about
        """
        rule = self.file_rules[name]
        self.findings.append(
            Finding(
                path=rule.path,
                line=rule.line,
                column=rule.column_of(part),
                level=level,
                rule=name,
                message=message,
                consequence=consequence,
                remedy=remedy,
            )
        )

    def report_broken(
        self, name: str, message: str, remedy: str, *, part: str = ""
    ) -> None:
        """Add a finding about a rule that the service refuses."""
        self.report(
            Level.BROKEN,
            name,
            message,
            remedy,
            consequence=REFUSED,
            part=part,
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
