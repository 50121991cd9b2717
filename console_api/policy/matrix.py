# SPDX-License-Identifier: Apache-2.0
"""Which persona may perform which operation, under several policies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console_api.policy.access import ACCESS
from console_api.policy.callers import Caller, Callers
from console_api.policy.reach import Checks, Reach
from console_api.policy.vocabulary import PERSONAS

#: Stands for a caller without any of the roles that the policies name.
NO_ROLE = "no role"


@dataclass(frozen=True, slots=True)
class Row:
    """Who may perform one operation.

    ``rule`` is the rule of the operation.  ``is_own`` says whether on
    resources of the caller's own project, None if they belong to no project.
    ``allowed`` holds the decisions by persona: one for each policy, None if it
    depends on another server.
    """

    rule: str
    is_own: bool | None
    allowed: Mapping[str, Sequence[bool | None]]


def rows(policies: Sequence[Checks]) -> list[Row]:
    """Return who may perform each operation under each policy.

    Besides the personas, callers have one of the roles that the policies name.

    :raises TooComplexError: the policies cannot be decided
    """
    callers = Callers(policies)
    reaches = [Reach(checks, callers) for checks in policies]
    others = [role for role in callers.roles if role not in PERSONAS]
    personas = {NO_ROLE: Caller()} | {
        role: Caller(roles=(role,)) for role in (*PERSONAS, *others)
    }
    return [
        Row(
            rule,
            is_own if access.has_project else None,
            {
                name: [
                    callers.passes(
                        reach.of_operation(rule, is_own=is_own), caller
                    )
                    for reach in reaches
                ]
                for name, caller in personas.items()
            },
        )
        for rule, access in ACCESS.items()
        for is_own in ((True, False) if access.has_project else (True,))
    ]
