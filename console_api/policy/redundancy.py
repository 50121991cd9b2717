# SPDX-License-Identifier: Apache-2.0
"""Findings about parts of a check that make no difference."""

from collections.abc import Mapping
from typing import TypeAlias

from oslo_policy import _checks

from console_api.policy import constants
from console_api.policy.comparison import Comparison
from console_api.policy.diagrams import ALWAYS, NEVER, Diagram
from console_api.policy.findings import Level, shorten
from console_api.policy.rules import Policy

# Maximum number of parts of a check that are reported to add nothing.
_MAX_PARTS = 3

# Who passes in the own project, and who in another one.
_Passing: TypeAlias = tuple[Diagram, Diagram]


class Redundancy:
    """Finds the parts of checks that make no difference."""

    def __init__(
        self,
        result: Policy,
        comparison: Comparison,
        results: Mapping[str, bool | None],
    ) -> None:
        """Prepare for a policy.

        :param results: those of the rules that always have the same
        """
        self._result = result
        self._results = results
        self._reach = comparison.after
        self._diagrams = comparison.callers.diagrams

    def add(self, name: str) -> None:
        """Add the findings about a rule that some callers may pass.

        :raises TooComplexError: it cannot be decided
        """
        tree = self._result.checks[name]
        if isinstance(tree, _checks.Check):
            return
        if self._passing(tree) == (NEVER, NEVER):
            self._result.report(
                Level.WARNING,
                name,
                "The check never passes, because its parts contradict each "
                "other.",
                'Correct it, or write "!" if no one is meant to pass.',
                consequence="No one passes the rule, not even an "
                "administrator.",
            )
            return
        self._examine(name, tree)

    def _examine(self, name: str, tree: _checks.BaseCheck) -> None:
        if isinstance(tree, _checks.NotCheck):
            self._examine(name, tree.rule)
        elif isinstance(tree, _checks.AndCheck | _checks.OrCheck):
            self._examine_parts(name, tree)

    def _examine_parts(
        self, name: str, tree: _checks.AndCheck | _checks.OrCheck
    ) -> None:
        is_or = isinstance(tree, _checks.OrCheck)
        passing = [self._passing(part) for part in tree.rules]
        # Who passes the parts before each one, and those after it.
        before = [(NEVER, NEVER) if is_or else (ALWAYS, ALWAYS)]
        for each in passing:
            before.append(self._combine(before[-1], each, is_or=is_or))
        after = before[0]
        count = 0
        for number, part in reversed([*enumerate(tree.rules)]):
            whole = self._combine(before[number], after, is_or=is_or)
            with_it = self._combine(whole, passing[number], is_or=is_or)
            if is_or and passing[number] == (NEVER, NEVER):
                if constants.of_tree(part, self._results) is None:
                    self._report_never(name, part)
            elif with_it == whole:
                count += 1
                if count <= _MAX_PARTS:
                    self._report_nothing(name, part, is_or=is_or)
            else:
                self._examine(name, part)
                after = self._combine(after, passing[number], is_or=is_or)

    def _combine(
        self, one: _Passing, other: _Passing, *, is_or: bool
    ) -> _Passing:
        combine = self._diagrams.disjoin if is_or else self._diagrams.conjoin
        return combine(one[0], other[0]), combine(one[1], other[1])

    def _passing(self, tree: _checks.BaseCheck) -> _Passing:
        return (
            self._reach.of_check(tree, is_own=True),
            self._reach.of_check(tree, is_own=False),
        )

    def _report_never(self, name: str, part: _checks.BaseCheck) -> None:
        self._result.report(
            Level.WARNING,
            name,
            f'The part "{_text(part)}" never passes.',
            "Correct or remove it.",
            consequence="The part lets no one in.",
            part=str(part),
        )

    def _report_nothing(
        self, name: str, part: _checks.BaseCheck, *, is_or: bool
    ) -> None:
        self._result.report(
            Level.NOTE,
            name,
            f'The part "{_text(part)}" adds nothing: '
            + (
                "who passes it also passes another part."
                if is_or
                else "who passes the other parts also passes it."
            ),
            "Remove it, unless something else is meant.",
            consequence="The rule decides the same without it.",
            part=str(part),
        )


def _text(part: _checks.BaseCheck) -> str:
    text = str(part)
    return shorten(text[1:-1] if text.startswith("(") else text)
