# SPDX-License-Identifier: Apache-2.0
"""Explanations of decisions, as data."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from oslo_context.context import RequestContext

from console_api import errors
from console_api.api import dry_run
from console_api.api.dry_run import Asked, Operation, Outcome
from console_api.cmd.policy import identity
from console_api.policy import enforcer, missing
from console_api.policy.callers import Caller, Callers
from console_api.policy.diagrams import Diagram, TooComplexError
from console_api.policy.reach import Reach
from console_api.policy.sources import Source

#: What a caller lacks; None if that is not known.
Alternatives: TypeAlias = list[Caller] | None


class Explanation:
    """Explains the decisions on one caller and one project.

    An explanation is an object with the operations and their rule, the caller,
    the project of the server, the decision, the response, the rules that were
    asked with the checks that decided, and what the caller lacks:
    alternatives, none if nothing suffices, None if that is not known.
    """

    def __init__(
        self,
        source: Source,
        caller: RequestContext,
        server_project: str | None = None,
    ) -> None:
        """Prepare for a caller.

        :param server_project: the project of the server; that of the caller
            if None
        """
        self._source = source
        self._caller = caller
        self._project = server_project or caller.project_id or identity.PROJECT
        self._is_own = self._project == caller.project_id
        self._decisions = source.decisions()

    def of_rule(self, rule: str) -> dict[str, Any]:
        """Explain the operations of a rule, or a base rule alone.

        :param rule: one of the rules of the policy
        """
        operations = dry_run.of_rule(rule, is_own=self._is_own)
        if operations:
            return self.of_operations(operations)
        outcome = dry_run.evaluate(
            self._decisions, self._caller, rule, self._project
        )
        is_own = self._is_own
        return self._render(
            *([], rule, outcome, None),
            lambda: self._missing(
                self._as_caller(),
                lambda reach: reach.of_rule(rule, is_own=is_own),
            ),
        )

    def of_operations(self, operations: Sequence[Operation]) -> dict[str, Any]:
        """Explain operations of the same rule, which are decided alike."""
        first = operations[0]
        rule = first.route.rule
        outcome = dry_run.perform(
            self._decisions, self._caller, first, self._project
        )
        response = outcome.message or (
            None if outcome.is_allowed else self._omission(first)
        )
        return self._render(
            *(operations, rule, outcome, response),
            lambda: self._missing_for(first),
        )

    def _omission(self, operation: Operation) -> str:
        """Return what a list lacks that the caller may not see."""
        if operation.is_list_of_projects:
            if operation.lists_all:
                return f"The list has no consoles of project {self._project}."
            return (
                "The list has consoles of the caller's own project only; "
                "all_projects=true requests others."
            )
        return "The list is empty, as for a server without consoles."

    def _render(
        self,
        operations: Sequence[Operation],
        rule: str,
        outcome: Outcome,
        response: str | None,
        find_missing: Callable[[], Alternatives],
    ) -> dict[str, Any]:
        return {
            "operations": [str(each) for each in operations],
            "rule": rule,
            "policy": self._source.name,
            "caller": _attributes(self._caller),
            "server_project": self._project,
            "own_project": self._is_own,
            "allowed": outcome.is_allowed,
            "status": outcome.status,
            "response": response,
            "decisions": list(map(self._decision, outcome.asked)),
            "missing": [] if outcome.is_allowed else find_missing(),
        }

    def _decision(self, asked: Asked) -> dict[str, Any]:
        parts = (
            []
            if asked.is_allowed is None
            else self._decisions.parts(
                self._caller,
                asked.rule,
                asked.project_id,
                is_allowed=asked.is_allowed,
            )
        )
        return {
            "rule": asked.rule,
            "defined_in": self._source.place(asked.rule),
            "project": asked.project_id,
            "allowed": asked.is_allowed,
            "because": [
                {
                    "check": part.check,
                    "rule": part.rule,
                    "defined_in": self._source.place(part.rule),
                }
                for part in parts
            ],
        }

    def _missing_for(self, operation: Operation) -> Alternatives:
        """Return what the caller lacks for an operation."""
        rule, is_own = operation.route.rule, self._is_own
        if operation.is_list_of_projects and not (
            is_own or operation.lists_all
        ):
            # Not the caller lacks something, but the request.
            return None
        caller, scope = self._as_caller(), {}
        try:
            enforcer.check_scope(self._caller)
        except errors.ProjectScopeRequired:
            # A token for the project of the server suffices, or is the first
            # step.
            is_own, scope = True, {"project_id": self._project}
            caller = dataclasses.replace(
                caller,
                attributes={**caller.attributes, **scope},
                server_project=None,
            )
        return self._missing(
            caller,
            lambda reach: reach.of_operation(rule, is_own=is_own),
            scope,
        )

    def _missing(
        self,
        caller: Caller,
        passing: Callable[[Reach], Diagram],
        scope: dict[str, str] | None = None,
    ) -> Alternatives:
        """Return the smallest changes with which a caller would pass.

        :param scope: what the caller needs in any case
        """
        try:
            callers = Callers([self._source.checks])
            found = missing.additions(
                callers, passing(Reach(self._source.checks, callers)), caller
            )
        except TooComplexError:
            return None
        return [
            dataclasses.replace(
                each, attributes={**each.attributes, **(scope or {})}
            )
            for each in found
        ]

    def _as_caller(self) -> Caller:
        """Return the caller as policies are compared for."""
        values = dict(self._caller.to_policy_values())
        return Caller(
            roles=tuple(values.pop("roles")),
            service_roles=tuple(values.pop("service_roles")),
            attributes=values,
            server_project=None if self._is_own else self._project,
        )


def _attributes(caller: RequestContext) -> dict[str, Any]:
    """Return what is known of a caller, without what is as usual."""
    usual: dict[str, Any] = {"is_admin_project": True, "service_roles": []}
    return {
        name: value
        for name, value in dict(caller.to_policy_values()).items()
        if value is not None and usual.get(name) != value
    }
