# SPDX-License-Identifier: Apache-2.0
"""What checks can be about, and what is wrong with one."""

import ast
import difflib
import re
from dataclasses import dataclass

from oslo_context.context import RequestContext
from oslo_policy import _checks

from console_api.policy import characters
from console_api.policy.findings import shorten

#: The roles of the personas, from the lowest to the highest.
PERSONAS = ("reader", "member", "manager", "service", "admin")

#: What can be compared of a caller.
CALLER_ATTRIBUTES = frozenset(
    {*RequestContext(overwrite=False).to_policy_values(), "is_admin"}
)

#: What is known of the target.
TARGET_ATTRIBUTES = frozenset({"project_id"})

#: Quotation marks of any kind.
QUOTES = "\"'`" + characters.TYPOGRAPHIC_QUOTES

PLACEHOLDER = re.compile(r"%\(([^()]*)\)s")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a part of a check, and what to do, as sentences.

    ``following`` is the number of words after the part that belong to it.
    """

    message: str
    remedy: str
    part: str = ""
    following: int = 0


def kinds() -> set[str]:
    """Return the kinds of checks besides comparisons."""
    known = {*_checks.registered_checks, *_checks.get_extensions()}
    return {kind for kind in known if kind}


def is_literal(kind: str) -> bool:
    """Return whether a check compares a literal, not an attribute."""
    try:
        literal(kind)
    except (SyntaxError, ValueError):
        return False
    return True


def literal(kind: str) -> str:
    """Return the text that a literal is compared as.

    :raises SyntaxError, ValueError: it is not a literal
    """
    return str(ast.literal_eval(kind))


def unknown(check: _checks.BaseCheck) -> str | None:
    """Return the part of a comparison that does not exist, None if all do.

    Such a comparison never passes.
    """
    if not isinstance(check, _checks.GenericCheck | _checks.RoleCheck):
        return None
    for name in PLACEHOLDER.findall(check.match):
        if name not in TARGET_ATTRIBUTES:
            return f"%({shorten(name)})s"
    if (
        isinstance(check, _checks.GenericCheck)
        and check.kind not in CALLER_ATTRIBUTES
        and not is_literal(check.kind)
    ):
        return f"{shorten(check.kind)}:"
    return None


def similar_kind(kind: str) -> str | None:
    """Return the kind of check that a misspelled one may mean."""
    known = [*sorted(kinds()), *sorted(CALLER_ATTRIBUTES)]
    return next(
        iter(difflib.get_close_matches(kind.lower(), known, n=1)), None
    )
