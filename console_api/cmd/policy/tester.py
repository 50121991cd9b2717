# SPDX-License-Identifier: Apache-2.0
"""Whether policies meet expectations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from oslo_policy import _checks

from console_api.cmd.policy.subjects import Subject
from console_api.policy import missing
from console_api.policy.callers import Caller, Callers
from console_api.policy.diagrams import Diagram
from console_api.policy.expectations import Expectation
from console_api.policy.reach import Checks, Reach

# Maximum number of callers that are listed although they are not expected.
_MAX_OTHERS = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation of one operation that is not met.

    ``is_own`` says on which servers, None if there are no others.  ``key`` is
    the part of the expectation, ``is_allowed`` what was decided, None if that
    depends on another server.  ``lacking`` is what the callers lack.
    """

    rule: str
    is_own: bool | None
    key: str
    is_allowed: bool | None
    callers: Sequence[Caller]
    lacking: Sequence[Caller] = ()


class Tester:
    """Compares the decisions of a policy with expectations."""

    def __init__(
        self, checks: Checks, expectations: Sequence[Expectation]
    ) -> None:
        """Prepare for a policy and all its expectations.

        :raises TooComplexError: they compare too many attributes
        """
        named = [c for each in expectations for c in each.callers]
        # So that callers are told apart by what only expectations name.
        self._callers = Callers([checks, {"": _check_of(named)}])
        self._reach = Reach(checks, self._callers)

    def failures(
        self, expectation: Expectation, subjects: Sequence[Subject]
    ) -> Iterator[Failure]:
        """Iterate over what is not as expected.

        :param subjects: the operations and rules of the expectation
        :raises TooComplexError: the rules cannot be decided
        """
        for subject in subjects:
            if not subject.has_project:
                yield from self._on(expectation, subject, None)
                continue
            for is_own in expectation.servers:
                yield from self._on(expectation, subject, is_own)

    def _on(
        self, expectation: Expectation, subject: Subject, is_own: bool | None
    ) -> Iterator[Failure]:
        diagram = subject.passing(self._reach, is_own=is_own is not False)
        for key, wanted, callers in (
            ("allowed", True, expectation.allowed),
            ("refused", False, expectation.refused),
        ):
            for caller in callers:
                is_allowed = self._callers.passes(diagram, caller)
                if is_allowed is not wanted:
                    lacking = (
                        missing.additions(self._callers, diagram, caller)
                        if wanted
                        else ()
                    )
                    yield Failure(
                        *(subject.rule, is_own, key, is_allowed, [caller]),
                        lacking,
                    )
        if expectation.only is not None:
            others = self._others(diagram, expectation.only)
            if others:
                yield Failure(subject.rule, is_own, "only", True, others)

    def _others(
        self, diagram: Diagram, only: Sequence[Caller]
    ) -> list[Caller]:
        """Return callers who pass without having what one of these has."""
        for each in only:
            diagram = self._callers.diagrams.subtract(
                diagram, self._callers.having(each)
            )
        return self._callers.sample(diagram, _MAX_OTHERS)


def _check_of(callers: Sequence[Caller]) -> _checks.BaseCheck:
    """Return a check that compares what these callers have."""
    parts: list[_checks.BaseCheck] = []
    for caller in callers:
        parts += [_checks.RoleCheck("role", role) for role in caller.roles]
        parts += [
            _checks.GenericCheck("service_roles", role)
            for role in caller.service_roles
        ]
        parts += [
            _checks.GenericCheck(name, str(value))
            for name, value in caller.attributes.items()
        ]
    return _checks.OrCheck(parts)
