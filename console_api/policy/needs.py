# SPDX-License-Identifier: Apache-2.0
"""What the result of a rule depends on, besides the caller."""

import enum
from collections.abc import Mapping
from typing import cast

from oslo_policy import _checks

from console_api.policy.rules import leaves

#: Decides whether ``is_admin:True`` passes.
ADMIN_RULE = "context_is_admin"


class Needs(enum.Flag):
    """What the result of a rule depends on, besides the caller."""

    NOTHING = 0
    #: The project of the target.
    TARGET = enum.auto()
    #: Whether the caller is an administrator.
    ADMIN = enum.auto()
    #: Something outside the process, such as the server of an ``http:``
    #: check.  The next result may be another one.
    OUTSIDE = enum.auto()


def needs(checks: Mapping[str, _checks.BaseCheck]) -> dict[str, Needs]:
    """Return what each rule depends on, with the rules that it references.

    :param checks: the checks by rule, a rule after those that it references
    """
    found: dict[str, Needs] = {}
    for name, tree in checks.items():
        found[name] = Needs.NOTHING
        for leaf, _is_negated in leaves(tree):
            found[name] |= (
                found[leaf.match]
                if type(leaf) is _checks.RuleCheck
                else of_check(leaf)
            )
    of_admin = found.get(ADMIN_RULE, Needs.NOTHING)
    return {
        name: each | of_admin if Needs.ADMIN in each else each
        for name, each in found.items()
    }


def of_check(leaf: _checks.BaseCheck) -> Needs:
    """Return what a check depends on that is not a reference."""
    kind = type(leaf)
    if kind in {_checks.TrueCheck, _checks.FalseCheck}:
        return Needs.NOTHING
    if kind not in {_checks.GenericCheck, _checks.RoleCheck}:
        # http:, https: and checks of third parties, which get everything.
        return Needs.TARGET | Needs.ADMIN | Needs.OUTSIDE
    check = cast("_checks.Check", leaf)
    result = Needs.NOTHING
    if "%(" in check.match:
        result |= Needs.TARGET
    if check.kind == "is_admin":
        result |= Needs.ADMIN
    return result
