# SPDX-License-Identifier: Apache-2.0
"""Log who gains and who loses by a change of policy."""

import logging
from collections.abc import Iterator

from console_api.policy import reach
from console_api.policy.diagrams import TooComplexError
from console_api.policy.findings import shorten
from console_api.policy.reach import Change, Checks

LOG = logging.getLogger(__name__)

# The projects of the resources; console hosts belong to none.
_WHERE = {True: " in their own project", False: " in other projects", None: ""}

# Maximum number of callers in a line.
_MAX_CALLERS = 5


def log(before: Checks, after: Checks, name: str) -> None:
    """Log who may do more and who may do less.

    :param name: what ``before`` is, such as ``the defaults``
    """
    try:
        for line in describe(before, after):
            LOG.info("Compared with %s, %s", name, line)
    except Exception:
        # The rules are in force, and this is for information only.
        LOG.exception("The policy cannot be compared with %s.", name)


def describe(before: Checks, after: Checks) -> Iterator[str]:
    """Describe who may do more and who may do less, in a line for each case.

    The lines are limited in number and length.
    """
    is_changed = False
    try:
        for change in reach.changes(before, after):
            is_changed = True
            yield _describe(change)
    except (TooComplexError, RecursionError):
        yield (
            "callers may gain or lose more operations: the rules are too "
            "complex to find all changes."
        )
    else:
        if not is_changed:
            yield "no one gains or loses an operation."


def _describe(change: Change) -> str:
    verb = "gain" if change.is_gain else "lose"
    shown = map(shorten, change.describe(_MAX_CALLERS))
    return (
        f"these callers {verb} {change.rule}{_WHERE[change.is_own]}: "
        f"{'; '.join(shown)}."
    )
