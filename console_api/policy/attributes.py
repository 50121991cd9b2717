# SPDX-License-Identifier: Apache-2.0
"""What checks compare: attributes with the few values that matter."""

import enum
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from oslo_policy import _checks, policy

from console_api.policy import vocabulary
from console_api.policy.diagrams import TooComplexError

#: A value of an attribute; of a role, the spellings that a caller has.
Value: TypeAlias = str | bool | tuple[str, ...] | None

#: Stands for all values that no policy names.
OTHER = "(another)"

# Maximum number of spellings of a role.
_MAX_SPELLINGS = 4

# Number of letters of a role that are spelt in both ways.
_MAX_LETTERS = 8

_PLACEHOLDER = "%(project_id)s"


class Kind(enum.Enum):
    """What an attribute is."""

    ROLE = "role"
    #: A role of the service that acts for the caller.
    SERVICE_ROLE = "service role"
    #: Another attribute of the caller, such as ``user_id``.
    CALLER = "caller"
    #: The project of the server, if it is not the caller's.
    TARGET = "target"
    #: The result of a check that is not known here.
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Attribute:
    """What policies tell callers apart by."""

    kind: Kind
    name: str


#: The attributes that are compared with each other.
TARGET = Attribute(Kind.TARGET, "project_id")
PROJECT = Attribute(Kind.CALLER, "project_id")

# Always None: another scope is refused before any rule is checked.
_SCOPES = {"system_scope": None, "domain_id": None}

# The values that no policy has to name, the default first, if not just any.
_VALUES: Mapping[str, Sequence[Value]] = {
    "is_admin_project": (True, False),
    "service_user_id": (None, OTHER),
    "service_user_domain_id": (None, OTHER),
    "service_project_id": (None, OTHER),
    "service_project_domain_id": (None, OTHER),
}


def usual_values(attribute: Attribute) -> list[Value]:
    """Return the values that no policy has to name, the default first."""
    if attribute.kind in {Kind.CALLER, Kind.TARGET}:
        return list(_VALUES.get(attribute.name, [OTHER]))
    return [None]


def spellings(role: str, named: Sequence[str]) -> list[Value]:
    """Return how a caller may have a role, the default first: not at all.

    The check ``role:`` ignores uppercase and lowercase, but ``roles:`` does
    not, and a token may contain several spellings.

    :param role: its name in lowercase
    :param named: the spellings that policies compare by ``roles:``
    :raises TooComplexError: there are too many
    """
    if len(named) > _MAX_SPELLINGS:
        raise TooComplexError
    usual = (role, role.capitalize(), role.upper())
    others = (
        each
        for each in (*usual, *_each_spelling(role))
        if each not in named and each.lower() == role
    )
    # There is none if the role has no letters.
    matter = [*named, *itertools.islice(others, 1)]
    return [
        None,
        *itertools.chain.from_iterable(
            itertools.combinations(matter, count)
            for count in range(1, len(matter) + 1)
        ),
    ]


def _each_spelling(role: str) -> Iterator[str]:
    start, rest = role[:_MAX_LETTERS], role[_MAX_LETTERS:]
    letters = ((each, each.upper()) for each in start)
    return ("".join((*each, rest)) for each in itertools.product(*letters))


def compared(leaf: _checks.BaseCheck) -> tuple[Attribute | None, str]:
    """Return the attribute that a check compares, and with what.

    There is none if the result is always the same.
    """
    if vocabulary.unknown(leaf) or not isinstance(leaf, _checks.Check):
        return None, ""
    if not isinstance(leaf, _checks.GenericCheck | _checks.RoleCheck):
        return Attribute(Kind.CHECK, str(leaf)), ""
    if _PLACEHOLDER in leaf.match:
        return _compared_with_project(leaf)
    value = leaf.match % {}
    if isinstance(leaf, _checks.RoleCheck):
        return Attribute(Kind.ROLE, value.lower()), value.lower()
    return _compared_with_text(leaf.kind, value), value


def _compared_with_project(leaf: _checks.Check) -> tuple[Attribute, str]:
    if is_project_check(leaf):
        return TARGET, ""
    if leaf.match == _PLACEHOLDER and vocabulary.is_literal(leaf.kind):
        return TARGET, vocabulary.literal(leaf.kind)
    return Attribute(Kind.CHECK, str(leaf)), ""


def _compared_with_text(kind: str, value: str) -> Attribute | None:
    if kind in _SCOPES or vocabulary.is_literal(kind):
        return None
    if kind == "roles":
        # Other than role:, this depends on uppercase and lowercase.
        return Attribute(Kind.ROLE, value.lower())
    if kind == "service_roles":
        return Attribute(Kind.SERVICE_ROLE, value)
    return Attribute(Kind.CALLER, kind)


def is_project_check(leaf: _checks.BaseCheck) -> bool:
    """Return whether a check compares the caller's project and the target."""
    return str(leaf) == f"{PROJECT.name}:{_PLACEHOLDER}"


def bound(attribute: Attribute, *, is_own: bool) -> Attribute:
    """Return the result of a check for one target as an attribute."""
    if is_own:
        return attribute
    return Attribute(Kind.CHECK, f"{attribute.name} (another project)")


def evaluate(
    leaf: _checks.BaseCheck, attribute: Attribute | None, value: Value
) -> bool:
    """Return whether a check passes for a value of what it compares.

    :param attribute: None if it compares nothing that can differ
    """
    credentials: dict[str, Any] = dict(_SCOPES)
    if attribute is not None:
        credentials[attribute.name] = value
        credentials["service_roles"] = [value] if value else []
        credentials["roles"] = list(value) if isinstance(value, tuple) else []
    # Only references and checks that ask other servers need an enforcer.
    enforcer = cast("policy.Enforcer", None)
    return leaf({"project_id": value}, credentials, enforcer)
