# SPDX-License-Identifier: Apache-2.0
"""Findings about who gains and who loses compared with the defaults."""

from collections.abc import Container, Sequence

from oslo_policy import _checks

from console_api.policies import (
    console_auth_tokens,
    console_gateways,
    console_hosts,
    console_locks,
    console_sessions,
    consoles,
    remote_consoles,
    servers,
)
from console_api.policy import needs
from console_api.policy.audience import Audience
from console_api.policy.callers import Caller
from console_api.policy.comparison import Comparison, Diagrams, Operation
from console_api.policy.diagrams import ALWAYS, NEVER, Diagram
from console_api.policy.findings import Level, shorten
from console_api.policy.needs import Needs
from console_api.policy.rules import Policy
from console_api.policy.vocabulary import PERSONAS

#: What the operations let callers do.
_ACTIONS = {
    consoles.LIST: "list the consoles of a project",
    consoles.INDEX: "list the consoles of a server",
    consoles.CREATE: "create consoles",
    consoles.SHOW: "see the passwords of consoles",
    consoles.DELETE: "delete consoles",
    console_auth_tokens.SHOW: "look up console auth tokens",
    console_auth_tokens.DELETE: "revoke a console auth token",
    remote_consoles.CREATE: "create remote consoles",
    remote_consoles.VIEW_ONLY: "create view-only remote consoles",
    remote_consoles.DELETE: "revoke the console auth tokens of a server",
    console_hosts.INDEX: "list console hosts",
    console_hosts.SHOW: "see a console host",
    console_hosts.UPDATE: "enable and disable console hosts",
    console_sessions.OPEN: "open sessions with console auth tokens",
    console_sessions.INDEX: "list the sessions of a project",
    console_sessions.SHOW: "see sessions",
    console_sessions.DELETE: "cut sessions",
    console_locks.INDEX: "list locks",
    console_locks.UPDATE: "lock users, projects and hosts out of sessions",
    console_locks.DELETE: "delete locks",
    console_gateways.UPDATE: "report the sessions of gateways",
    console_gateways.CLOSE: "report that sessions have ended",
    servers.ALL_TENANTS: "reach the servers of other projects where the rule "
    "of the operation passes as well",
}

# Operations that neither show secrets nor change anything.
_LISTS = {
    consoles.LIST,
    consoles.INDEX,
    console_hosts.INDEX,
    console_hosts.SHOW,
    console_sessions.INDEX,
    console_sessions.SHOW,
    console_locks.INDEX,
}

# Maximum number of kinds of callers in a message, and of those examined.
_MAX_CALLERS = 3
_MAX_SAMPLE = 20


class Meaning:
    """Reports the rules of policy files that are weaker or stronger."""

    def __init__(self, result: Policy, comparison: Comparison) -> None:
        """Prepare for a policy."""
        self._result = result
        self._comparison = comparison
        self._callers = comparison.callers
        self._needs = needs.needs(result.checks)

    def add(self, names: Sequence[str], for_everyone: Container[str]) -> None:
        """Add the findings.

        :param names: the rules of the files that replace a default
        :param for_everyone: those of them that are known to let everyone pass
        :raises TooComplexError: they cannot be compared
        """
        for name, each in self._comparison.differences(names).items():
            if name not in for_everyone:
                self._add_gains(name, each.gains)
            if not self._is_undecided(name):
                self._add_losses(name, each.losses)

    def _add_gains(self, name: str, gains: Diagrams) -> None:
        found = {
            operation: self._sample(diagram)
            for operation, diagram in gains.items()
            if diagram != NEVER
        }
        found = {op: who for op, who in found.items() if who}
        if not found:
            return
        is_harmless = all(
            self._is_harmless(operation, gains[operation])
            for operation in found
        )
        names = {
            operation: f"{self._gainers(operation, callers)} may"
            for operation, callers in found.items()
        }
        reaches_others = any(not is_own for _rule, is_own in found)
        self._result.report(
            Level.NOTE if is_harmless else Level.SECURITY,
            name,
            f"Weaker than the default: {_describe(names)}.",
            f'Remove it for the default, "{self._default(name)}", unless this '
            "is intended.",
            consequence="They reach the servers of other projects."
            if reaches_others
            else "They have this access in each project for which they have "
            "a token.",
        )

    def _is_harmless(self, operation: Operation, gain: Diagram) -> bool:
        """Return whether roles of one's own may only list more."""
        rule, is_own = operation
        if not is_own or rule not in _LISTS:
            return False
        for role in self._callers.roles:
            if role not in PERSONAS:
                gain = self._callers.diagrams.subtract(
                    gain, self._callers.with_role(role)
                )
        return not any(map(_is_persona, self._sample(gain)))

    def _add_losses(self, name: str, losses: Diagrams) -> None:
        found: dict[Operation, str] = {}
        for (rule, is_own), lost in losses.items():
            # Who loses this also loses the servers of other projects.
            if lost == NEVER or (rule, True) in found:
                continue
            after = self._comparison.after.of_operation(rule, is_own=is_own)
            found[rule, is_own] = (
                "no one may"
                if after == NEVER
                else f"{_alternatives(self._sample(lost))} may not"
            )
        if found:
            self._result.report(
                Level.NOTE,
                name,
                f"Stronger than the default: {_describe(found)}.",
                f'Remove it for the default, "{self._default(name)}", unless '
                "this is intended.",
                consequence="Others are answered 403, or 404 for servers of "
                "other projects.",
            )

    def _is_undecided(self, name: str) -> bool:
        """Return whether who loses by a rule is not known or said already."""
        tree = self._comparison.checks[name]
        return Needs.OUTSIDE in self._needs[name] or (
            not isinstance(tree, _checks.FalseCheck)
            and self._comparison.after.of_rule(name, is_own=True) == NEVER
            and self._comparison.after.of_rule(name, is_own=False) == NEVER
        )

    def _default(self, name: str) -> str:
        return shorten(str(self._comparison.defaults[name]))

    def _sample(self, diagram: Diagram) -> list[Caller]:
        """Return those who pass without checks that are not known here."""
        found = self._callers.sample(diagram, _MAX_SAMPLE)
        return [caller for caller in found if not caller.checks]

    def _gainers(self, operation: Operation, found: Sequence[Caller]) -> str:
        if Caller() not in found:
            return _alternatives(found)
        # Who needs nothing at all may still be excluded by something.
        rule, is_own = operation
        audience = Audience.of(
            self._callers,
            self._comparison.after.of_operation(rule, is_own=is_own),
            among=ALWAYS if is_own else self._callers.in_other_project(),
            limit=1,
        )
        group = audience.groups[0]
        return f"{group}," if group.exceptions else str(group)


def _alternatives(callers: Sequence[Caller]) -> str:
    """Return a description of several callers, of limited length."""
    names = [str(caller) for caller in callers]
    if len(names) > _MAX_CALLERS:
        names[_MAX_CALLERS:] = ["others"]
    return " or ".join(names) or "others"


def action(rule: str) -> str:
    """Return what those who pass a rule may do."""
    return _ACTIONS.get(rule, "perform the operations that depend on it")


def _is_persona(caller: Caller) -> bool:
    return not (
        set(caller.roles) - {*PERSONAS}
        or caller.attributes
        or caller.service_roles
    )


def _describe(found: dict[Operation, str]) -> str:
    """Return who may or may not do what."""
    by_callers: dict[tuple[str, bool], list[str]] = {}
    for (rule, is_own), who in found.items():
        by_callers.setdefault((who, is_own), []).append(_ACTIONS[rule])
    return "; ".join(
        f"{who} {_join(actions)}"
        + ("" if is_own else " on servers of other projects")
        for (who, is_own), actions in by_callers.items()
    )


def _join(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
