# SPDX-License-Identifier: Apache-2.0
"""What a caller lacks to pass a rule."""

import dataclasses
from collections.abc import Iterator

from console_api.policy.callers import Caller, Callers
from console_api.policy.diagrams import Diagram

# Maximum number of alternatives that are examined, and returned.
_MAX_EXAMINED = 100
_MAX_ADDITIONS = 5


def additions(
    callers: Callers, diagram: Diagram, caller: Caller
) -> list[Caller]:
    """Return the smallest changes with which a caller would pass.

    Each is an alternative: roles and attributes to add, and roles that the
    caller must not have.  The server stays the same.

    :param diagram: who passes
    :returns: none if no change of the caller suffices
    :raises TooComplexError: the rule cannot be decided
    """
    found: list[Caller] = []
    for each in callers.sample(diagram, _MAX_EXAMINED):
        addition = difference(each, caller)
        if callers.passes(
            diagram, _join(caller, addition)
        ) is not False and not any(_includes(addition, f) for f in found):
            found = [f for f in found if not _includes(f, addition)]
            found.append(addition)
    if not found:
        # Such as one that removes a role.
        change = callers.missing(diagram, caller)
        if change is not None and change.server_project is None:
            found.append(change)
    return found[:_MAX_ADDITIONS]


def difference(other: Caller, caller: Caller) -> Caller:
    """Return what another caller has and this one has not."""
    project = other.server_project
    present = set(map(str.lower, caller.roles))
    return Caller(
        roles=tuple(r for r in other.roles if r.lower() not in present),
        service_roles=tuple(
            r for r in other.service_roles if r not in caller.service_roles
        ),
        attributes={
            name: value
            for name, value in other.attributes.items()
            if caller.attributes.get(name) != value
        },
        server_project=None if project == caller.server_project else project,
        checks=tuple(c for c in other.checks if c not in caller.checks),
    )


def _join(caller: Caller, addition: Caller) -> Caller:
    return dataclasses.replace(
        caller,
        roles=caller.roles + addition.roles,
        service_roles=caller.service_roles + addition.service_roles,
        attributes={**caller.attributes, **addition.attributes},
    )


def _includes(one: Caller, other: Caller) -> bool:
    """Return whether a change includes another one."""
    return set(_items(one)) >= set(_items(other))


def _items(change: Caller) -> Iterator[tuple[str, object]]:
    yield from (("role", each) for each in change.roles)
    yield from (("service role", each) for each in change.service_roles)
    yield from change.attributes.items()
    yield from (("check", each) for each in change.checks)
