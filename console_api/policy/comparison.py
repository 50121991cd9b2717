# SPDX-License-Identifier: Apache-2.0
"""Compare the rules of policy files with the defaults, for all callers."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from console_api import policies
from console_api.policy.access import ACCESS
from console_api.policy.callers import Callers
from console_api.policy.diagrams import NEVER, Diagram
from console_api.policy.reach import Checks, Reach
from console_api.policy.rules import Policy, references

#: An operation, and whether it is on resources of the caller's own project.
Operation: TypeAlias = tuple[str, bool]

#: Who gains or loses each operation.
Diagrams: TypeAlias = dict[Operation, Diagram]

_OPERATIONS: Sequence[Operation] = [
    (rule, is_own)
    for is_own in (True, False)
    for rule, access in ACCESS.items()
    if is_own or access.has_project
]


class Difference(NamedTuple):
    """Who gains and who loses by a rule."""

    gains: Diagrams
    losses: Diagrams


class Comparison:
    """Compares the rules of policy files with the defaults, one by one.

    ``defaults`` and ``checks`` are those by rule, ``before`` and ``after`` who
    passes them, and ``callers`` whom they tell apart.
    """

    def __init__(self, result: Policy) -> None:
        """Prepare for a policy.

        :raises TooComplexError: it cannot be compared
        """
        self.defaults: Checks = {
            rule.name: rule.check for rule in policies.list_rules()
        }
        # In place of broken rules, which have findings already.
        self.checks = {**self.defaults, **result.checks}
        self.callers = Callers([self.defaults, self.checks])
        self.before = Reach(self.defaults, self.callers)
        self.after = Reach(self.checks, self.callers)

    def differences(self, names: Sequence[str]) -> dict[str, Difference]:
        """Return who gains and who loses by each rule.

        What only several rules together change is due to the one that is asked
        first.

        :param names: the rules of the files that replace a default
        :raises TooComplexError: they cannot be compared
        """
        total = Difference(
            self._only_after(self.before, self.after),
            self._only_after(self.after, self.before),
        )
        found = {name: self._due_to(name, total) for name in names}
        for kind in (0, 1):
            for operation in _OPERATIONS:
                rest = total[kind][operation]
                for each in found.values():
                    rest = self._subtract(rest, each[kind][operation])
                if rest != NEVER and names:
                    first = found[self._first(operation[0], names)][kind]
                    first[operation] = self.callers.diagrams.disjoin(
                        first[operation], rest
                    )
        return found

    def is_same(self, name: str) -> bool:
        """Return whether a rule has the same effect as its default.

        :raises TooComplexError: it cannot be compared
        """
        return all(
            self.after.of_rule(name, is_own=is_own)
            == self.before.of_rule(name, is_own=is_own)
            for is_own in (True, False)
        )

    def _only_after(self, before: Reach, after: Reach) -> Diagrams:
        """Return who may perform each operation only afterwards."""
        return {
            (rule, is_own): self._subtract(
                after.of_operation(rule, is_own=is_own),
                before.of_operation(rule, is_own=is_own),
            )
            for rule, is_own in _OPERATIONS
        }

    def _due_to(self, name: str, total: Difference) -> Difference:
        """Return what of all differences there is not without a rule."""
        without = self._without(name)
        result = Difference({}, {})
        for rule, is_own in _OPERATIONS:
            reached = without.of_operation(rule, is_own=is_own)
            result.gains[rule, is_own] = self._subtract(
                total.gains[rule, is_own], reached
            )
            result.losses[rule, is_own] = self.callers.diagrams.conjoin(
                total.losses[rule, is_own], reached
            )
        return result

    def _without(self, name: str) -> Reach:
        """Return who passes if a rule has its default."""
        checks = {**self.checks, name: self.defaults[name]}
        if name in _reachable(checks, name):
            # Together with the other rules, the default is a circle.
            return self.after
        return Reach(checks, self.callers)

    def _subtract(self, first: Diagram, second: Diagram) -> Diagram:
        return self.callers.diagrams.subtract(first, second)

    def _first(self, rule: str, names: Sequence[str]) -> str:
        """Return the first of some rules that an operation asks."""
        reachable = _reachable(self.checks, rule)
        return next(
            (each for each in (rule, *reachable) if each in names), names[0]
        )


def _reachable(checks: Checks, name: str) -> dict[str, None]:
    """Return the rules that a rule references, directly or not, in order."""
    found: dict[str, None] = {}
    pending = references(checks[name])
    for each in pending:
        if each not in found:
            found[each] = None
            pending += references(checks[each])
    return found
