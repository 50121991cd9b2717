# SPDX-License-Identifier: Apache-2.0
"""The callers that policies can tell apart.

What a check compares of a caller is an attribute with few values: those that
the policies name, and one that stands for all others.  Which values pass a
check is decided by oslo.policy's own check.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oslo_policy import _checks

from console_api.policy.attributes import (
    OTHER,
    PROJECT,
    TARGET,
    Attribute,
    Kind,
    Value,
    bound,
    compared,
    evaluate,
    is_project_check,
    spellings,
    usual_values,
)
from console_api.policy.diagrams import (
    ALWAYS,
    NEVER,
    Assignment,
    Diagram,
    Diagrams,
)
from console_api.policy.rules import leaves
from console_api.policy.vocabulary import PERSONAS


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What matters of a caller and of the server; all else is as usual.

    ``without`` are roles that the caller must not have.  ``checks`` are checks
    that have to pass and whose result is not known here, such as those that
    ask other servers.
    """

    roles: tuple[str, ...] = ()
    service_roles: tuple[str, ...] = ()
    attributes: Mapping[str, Value] = field(default_factory=dict)
    server_project: str | None = None
    checks: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return a description, such as ``role member``."""
        parts = [
            _roles("role", self.roles),
            _roles("service role", self.service_roles),
            *(f"{name} {value}" for name, value in self.attributes.items()),
            *(f'"{check}" passes' for check in self.checks),
            _roles("without role", self.without),
        ]
        if self.server_project:
            parts.append(f"on servers of project {self.server_project}")
        return ", ".join(filter(None, parts)) or "everyone"


def _roles(noun: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    return f"{noun}{'s' if len(names) > 1 else ''} {' and '.join(names)}"


class Callers:
    """All callers, as some policies tell them apart.

    Policies that are compared have to be given together.
    """

    def __init__(
        self, policies: Sequence[Mapping[str, _checks.BaseCheck]]
    ) -> None:
        """Find the attributes that the rules compare.

        :raises TooComplexError: there are too many
        """
        self._values: dict[Attribute, list[Any]] = {
            TARGET: [OTHER],
            PROJECT: [OTHER],
        }
        # The spellings that matter, by role in lowercase.
        self._spellings: dict[str, list[str]] = {r: [] for r in PERSONAS}
        for checks in policies:
            for tree in checks.values():
                for leaf, _is_negated in leaves(tree):
                    # What a reference depends on is in the other rule.
                    if not isinstance(leaf, _checks.RuleCheck):
                        self._add(leaf)
        for role, named in self._spellings.items():
            self._values[Attribute(Kind.ROLE, role)] = spellings(role, named)
        self._attributes = list(self._values)
        self._numbers = {each: n for n, each in enumerate(self._attributes)}
        self.diagrams = Diagrams([len(v) for v in self._values.values()])
        self._passing: dict[tuple[str, bool], Diagram] = {}

    @property
    def roles(self) -> list[str]:
        """The roles that the policies name, those of the personas first."""
        return [a.name for a in self._attributes if a.kind is Kind.ROLE]

    def in_other_project(self) -> Diagram:
        """Return where the server's project is not the caller's."""
        result = ALWAYS
        for project in self._values[TARGET][1:]:
            if project in self._values[PROJECT]:
                both = self.diagrams.conjoin(
                    self._where(TARGET, project),
                    self._where(PROJECT, project),
                )
                result = self.diagrams.subtract(result, both)
        return result

    def passing(self, leaf: _checks.BaseCheck, *, is_own: bool) -> Diagram:
        """Return who passes a check that is not a reference.

        :param is_own: whether the target is the caller's own project
        """
        # Many rules contain the same check.
        key = str(leaf), is_own
        if key not in self._passing:
            self._passing[key] = self._find_passing(leaf, is_own=is_own)
        return self._passing[key]

    def _find_passing(
        self, leaf: _checks.BaseCheck, *, is_own: bool
    ) -> Diagram:
        if isinstance(leaf, _checks.TrueCheck | _checks.FalseCheck):
            return ALWAYS if isinstance(leaf, _checks.TrueCheck) else NEVER
        attribute, _value = compared(leaf)
        if attribute is None:
            return ALWAYS if evaluate(leaf, None, None) else NEVER
        if attribute.kind is Kind.CHECK:
            return self._where(bound(attribute, is_own=is_own), True)
        if attribute == TARGET and is_project_check(leaf):
            return ALWAYS if is_own else NEVER
        if attribute == TARGET and is_own:
            attribute = PROJECT
        passed = {
            number
            for number, value in enumerate(self._values[attribute])
            if evaluate(leaf, attribute, value)
        }
        return self.diagrams.where(self._numbers[attribute], passed)

    def passes(self, diagram: Diagram, caller: Caller) -> bool | None:
        """Return whether a caller passes, None if that is not known here."""
        found = self.diagrams.restrict(diagram, self._assignment(caller))
        return {ALWAYS: True, NEVER: False}.get(found)

    def with_role(self, role: str) -> Diagram:
        """Return who has a role, never if no policy names it."""
        attribute = Attribute(Kind.ROLE, role.lower())
        if attribute not in self._values:
            return NEVER
        return self.diagrams.negate(self._where(attribute, None))

    def minimal(self, diagram: Diagram) -> Iterator[Caller]:
        """Iterate over the callers who pass with the fewest attributes.

        Each caller who passes has all that one of them has.

        :raises TooComplexError: there are too many
        """
        while True:
            found = self.diagrams.cheapest(
                diagram, lambda _, value: bool(value)
            )
            if found is None:
                return
            needed = {n: value for n, value in found.items() if value}
            yield self._describe(needed)
            diagram = self.diagrams.subtract(diagram, self._having(needed))

    def having(self, caller: Caller) -> Diagram:
        """Return who has all that a caller has, and perhaps more."""
        needed = {n: v for n, v in self._assignment(caller).items() if v}
        for check in caller.checks:
            needed[self._numbers[Attribute(Kind.CHECK, check)]] = 1
        return self._having(needed)

    def sample(self, diagram: Diagram, limit: int) -> list[Caller]:
        """Return some of the minimal callers, the simplest first.

        :raises TooComplexError: see ``minimal``
        """
        found = list(itertools.islice(self.minimal(diagram), limit))
        return sorted(found, key=_simplicity)

    def missing(self, diagram: Diagram, caller: Caller) -> Caller | None:
        """Return the fewest attributes that a caller needs to pass.

        :returns: None if no caller passes
        """
        present = self._assignment(caller)

        def cost(number: int, value: int) -> int:
            if value == present.get(number, 0):
                return 0
            # A role is easier to get than another identity.
            return 1 if self._attributes[number].kind is Kind.ROLE else 2

        found = self.diagrams.cheapest(diagram, cost)
        if found is None:
            return None
        return self._describe(
            {n: v for n, v in found.items() if v != present.get(n, 0)}
        )

    def _having(self, needed: Assignment) -> Diagram:
        result = ALWAYS
        for number, value in needed.items():
            where = self.diagrams.where(number, self._including(number, value))
            result = self.diagrams.conjoin(result, where)
        return result

    def _including(self, number: int, value: int) -> set[int]:
        """Return the values of an attribute that include another one."""
        values = self._values[self._attributes[number]]
        included = values[value]
        if not isinstance(included, tuple):
            return {value}
        return {
            other
            for other, each in enumerate(values)
            if each is not None and set(included) <= set(each)
        }

    def _describe(self, values: Assignment) -> Caller:
        found: dict[Kind, dict[str, Any]] = {kind: {} for kind in Kind}
        for number, value in values.items():
            attribute = self._attributes[number]
            values_of = self._values[attribute]
            found[attribute.kind][attribute.name] = values_of[value]
        roles = found[Kind.ROLE]
        return Caller(
            roles=tuple(
                itertools.chain.from_iterable(filter(None, roles.values()))
            ),
            service_roles=tuple(
                filter(None, found[Kind.SERVICE_ROLE].values())
            ),
            attributes=found[Kind.CALLER],
            server_project=found[Kind.TARGET].get(TARGET.name),
            checks=tuple(
                n for n, passes in found[Kind.CHECK].items() if passes
            ),
            without=tuple(n for n, value in roles.items() if value is None),
        )

    def _assignment(self, caller: Caller) -> Assignment:
        """Return the values of a caller; those of checks are not known."""
        known: dict[Attribute, Any] = {
            Attribute(Kind.CALLER, name): value
            for name, value in caller.attributes.items()
        }
        known[TARGET] = caller.server_project
        for name in {role.lower() for role in caller.roles}:
            attribute = Attribute(Kind.ROLE, name)
            if attribute in self._values:
                known[attribute] = self._spelled(attribute, caller.roles)
        for role in caller.service_roles:
            known[Attribute(Kind.SERVICE_ROLE, role)] = role
        return {
            number: values.index(known.get(attribute))
            if known.get(attribute) in values
            else 0
            for number, (attribute, values) in enumerate(self._values.items())
            if attribute.kind is not Kind.CHECK
        }

    def _spelled(
        self, attribute: Attribute, roles: Sequence[str]
    ) -> tuple[str, ...]:
        """Return the spellings of a role that matter, of those of a caller."""
        named = self._spellings[attribute.name]
        others = [r for r in self._values[attribute][-1] if r not in named]
        found = [role for role in named if role in roles]
        if any(r.lower() == attribute.name and r not in named for r in roles):
            found += others
        return tuple(found)

    def _add(self, leaf: _checks.BaseCheck) -> None:
        attribute, value = compared(leaf)
        if attribute is None:
            return
        if attribute.kind is Kind.CHECK:
            for is_own in (True, False):
                self._add_value(bound(attribute, is_own=is_own), True)
            return
        if attribute == TARGET:
            if is_project_check(leaf):
                return
            # In the caller's own project, both are compared.
            self._add_value(PROJECT, value)
        if attribute.kind is Kind.ROLE:
            named = self._spellings.setdefault(attribute.name, [])
            if isinstance(leaf, _checks.GenericCheck) and value not in named:
                named.append(value)
            return
        self._add_value(attribute, value)

    def _add_value(self, attribute: Attribute, value: Value) -> None:
        values = self._values.setdefault(attribute, usual_values(attribute))
        if str(value) not in map(str, values):
            values.append(value)

    def _where(self, attribute: Attribute, value: Any) -> Diagram:
        number = self._values[attribute].index(value)
        return self.diagrams.where(self._numbers[attribute], {number})


def _simplicity(caller: Caller) -> tuple[int, list[int], str]:
    ranks = [
        PERSONAS.index(role) if role in PERSONAS else len(PERSONAS)
        for role in caller.roles
    ]
    others = (*caller.service_roles, *caller.attributes, *caller.checks)
    return len(others), ranks, str(caller)
