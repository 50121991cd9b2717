# SPDX-License-Identifier: Apache-2.0
"""Who passes the rules of policies, and who gains and loses by a change.

The answers hold for all callers: policies are compared as functions of what
their rules compare, not as texts.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from oslo_policy import _checks

from console_api.policy.access import ACCESS
from console_api.policy.audience import Audience
from console_api.policy.callers import Caller, Callers
from console_api.policy.diagrams import ALWAYS, NEVER, Diagram
from console_api.policy.needs import ADMIN_RULE

#: The checks of a policy by rule, a rule after those that it references.
Checks: TypeAlias = Mapping[str, _checks.BaseCheck]

#: Maximum number of callers of a change.
MAX_CALLERS = 20


@dataclass(frozen=True, slots=True)
class Change:
    """Who gains or loses an operation.

    ``rule`` is the rule of the operation.  ``is_own`` says whether on
    resources of the caller's own project, None if they belong to no project.
    ``audience`` has those who gain or lose with the fewest attributes.
    """

    rule: str
    is_own: bool | None
    is_gain: bool
    audience: Audience

    def describe(self, limit: int) -> list[str]:
        """Return descriptions of some of the callers.

        Exceptions are those who could do it before, or still can: without
        them, "everyone" would be wrong, but they are obvious otherwise.

        :param limit: maximum number of callers
        """
        groups = self.audience.groups
        found = [
            str(group if group.caller == Caller() else group.caller)
            for group in groups[:limit]
        ]
        if len(groups) > limit or not self.audience.is_complete:
            found.append("and others")
        return found


class Reach:
    """Who passes the rules of one policy."""

    def __init__(self, checks: Checks, callers: Callers) -> None:
        """Prepare for a policy.

        :param callers: of this policy and those that it is compared with
        """
        self._checks = checks
        self._callers = callers
        self._diagrams = callers.diagrams
        self._found: dict[tuple[str, bool, bool], Diagram] = {}

    def of_operation(self, rule: str, *, is_own: bool) -> Diagram:
        """Return who may perform an operation.

        :param rule: the rule of the operation, a key of ``ACCESS``
        :param is_own: whether on resources of the caller's own project
        :raises TooComplexError: the rules cannot be decided
        """
        access = ACCESS[rule]
        found = self._all(access.before, is_own=True)
        if is_own or not access.has_project:
            return self._and(found, self._all(access.own, is_own=True))
        found = self._and(found, self._all(access.before_other, is_own=True))
        found = self._and(found, self._all(access.other, is_own=False))
        return self._and(found, self._callers.in_other_project())

    def of_rule(self, rule: str, *, is_own: bool) -> Diagram:
        """Return who passes a rule.

        :param is_own: whether the target is the caller's own project
        :raises TooComplexError: the rule cannot be decided
        """
        return self._rule(rule, is_own, False)

    def of_check(self, tree: _checks.BaseCheck, *, is_own: bool) -> Diagram:
        """Return who passes a part of a rule, as by ``of_rule``."""
        return self._tree(tree, is_own, False)

    def _all(self, rules: Sequence[str], *, is_own: bool) -> Diagram:
        result = ALWAYS
        for rule in rules:
            result = self._and(result, self.of_rule(rule, is_own=is_own))
        return result

    def _and(self, first: Diagram, second: Diagram) -> Diagram:
        return self._diagrams.conjoin(first, second)

    def _rule(self, rule: str, is_own: bool, in_admin: bool) -> Diagram:
        key = rule, is_own, in_admin
        if key not in self._found:
            tree = self._checks.get(rule)
            self._found[key] = (
                NEVER if tree is None else self._tree(tree, is_own, in_admin)
            )
        return self._found[key]

    def _tree(
        self, tree: _checks.BaseCheck, is_own: bool, in_admin: bool
    ) -> Diagram:
        """Return who passes a check.

        :param in_admin: whether it decides who is an administrator, while
            ``is_admin`` is not known yet
        """
        match tree:
            case _checks.NotCheck():
                inner = self._tree(tree.rule, is_own, in_admin)
                return self._diagrams.negate(inner)
            case _checks.AndCheck():
                parts = [self._tree(t, is_own, in_admin) for t in tree.rules]
                return self._balanced(parts, is_or=False)
            case _checks.OrCheck():
                parts = [self._tree(t, is_own, in_admin) for t in tree.rules]
                return self._balanced(parts, is_or=True)
            case _checks.RuleCheck():
                return self._rule(tree.match, is_own, in_admin)
            case _checks.GenericCheck(kind="is_admin"):
                return self._admin(tree, is_own, in_admin)
        return self._callers.passing(tree, is_own=is_own)

    def _admin(
        self, check: _checks.GenericCheck, is_own: bool, in_admin: bool
    ) -> Diagram:
        if in_admin:
            return NEVER
        administrators = self._rule(ADMIN_RULE, is_own, True)
        if check.match == str(True):
            return administrators
        if check.match == str(False):
            return self._diagrams.negate(administrators)
        return NEVER

    def _balanced(self, parts: list[Diagram], *, is_or: bool) -> Diagram:
        """Combine many parts in pairs, which keeps the diagrams small."""
        combine = self._diagrams.disjoin if is_or else self._diagrams.conjoin
        while len(parts) > 1:
            pairs = itertools.zip_longest(parts[::2], parts[1::2])
            parts = [a if b is None else combine(a, b) for a, b in pairs]
        return parts[0]


def changes(before: Checks, after: Checks) -> Iterator[Change]:
    """Iterate over who gains and who loses what by a change of policy.

    :raises TooComplexError: the policies cannot be compared
    """
    callers = Callers([before, after])
    old, new = Reach(before, callers), Reach(after, callers)
    for rule, access in ACCESS.items():
        for is_own in (True, False) if access.has_project else (True,):
            may_before = old.of_operation(rule, is_own=is_own)
            may_after = new.of_operation(rule, is_own=is_own)
            for is_gain, diagram in (
                (True, callers.diagrams.subtract(may_after, may_before)),
                (False, callers.diagrams.subtract(may_before, may_after)),
            ):
                if diagram != NEVER:
                    yield Change(
                        rule,
                        is_own if access.has_project else None,
                        is_gain,
                        Audience.of(
                            callers,
                            diagram,
                            ALWAYS if is_own else callers.in_other_project(),
                            MAX_CALLERS,
                        ),
                    )
