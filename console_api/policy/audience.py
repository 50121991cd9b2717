# SPDX-License-Identifier: Apache-2.0
"""Who passes a rule or may perform an operation, as groups of callers."""

from dataclasses import dataclass

from console_api.policy import missing
from console_api.policy.callers import Caller, Callers
from console_api.policy.diagrams import Diagram

# Maximum number of exceptions that are listed for a group.
_MAX_EXCEPTIONS = 20


@dataclass(frozen=True, slots=True)
class Group:
    """Everyone who has what a caller has, apart from the exceptions."""

    caller: Caller
    exceptions: tuple[Caller, ...] = ()

    def __str__(self) -> str:
        """Return a description, such as ``role a, except role b``."""
        text = str(self.caller)
        if self.exceptions:
            text += f", except {' or '.join(map(str, self.exceptions))}"
        return text


@dataclass(frozen=True, slots=True)
class Audience:
    """Groups of callers, the simplest first.

    If it is not complete, there are more groups, or more exceptions.
    """

    groups: list[Group]
    is_complete: bool

    @classmethod
    def of(
        cls, callers: Callers, diagram: Diagram, among: Diagram, limit: int
    ) -> "Audience":
        """Return who passes.

        :param diagram: who passes
        :param among: the callers in question, such as those of other projects
        :param limit: the maximum number of groups
        :raises TooComplexError: it cannot be decided
        """
        diagram = callers.diagrams.conjoin(diagram, among)
        refused = callers.diagrams.subtract(among, diagram)
        found = callers.sample(diagram, limit + 1)
        groups = [
            Group(caller, _exceptions(callers, refused, caller))
            for caller in found[:limit]
        ]
        is_complete = len(found) <= limit and all(
            len(each.exceptions) < _MAX_EXCEPTIONS for each in groups
        )
        return cls(groups, is_complete)


def _exceptions(
    callers: Callers, refused: Diagram, caller: Caller
) -> tuple[Caller, ...]:
    """Return who is refused in spite of having what a caller has."""
    refused = callers.diagrams.conjoin(callers.having(caller), refused)
    found = callers.sample(refused, _MAX_EXCEPTIONS)
    return tuple(missing.difference(each, caller) for each in found)
