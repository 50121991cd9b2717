# SPDX-License-Identifier: Apache-2.0
"""What a command is about: an operation or a rule."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from console_api.api import dry_run
from console_api.api.dry_run import Operation
from console_api.cmd.commands import UsageError
from console_api.policy.access import ACCESS
from console_api.policy.diagrams import Diagram
from console_api.policy.reach import Reach
from console_api.policy.sources import Source

# Maximum number of names in a message.
_MAX_SIMILAR = 5


@dataclass(frozen=True, slots=True)
class Subject:
    """The operations of a rule, or a base rule alone."""

    rule: str

    @property
    def has_project(self) -> bool:
        """Whether servers of other projects are decided separately."""
        return self.rule not in ACCESS or ACCESS[self.rule].has_project

    def passing(self, reach: Reach, *, is_own: bool) -> Diagram:
        """Return who may perform the operations, or passes the rule.

        :param is_own: whether on servers of the caller's own project
        :raises TooComplexError: the rules cannot be decided
        """
        if self.rule in ACCESS:
            return reach.of_operation(self.rule, is_own=is_own)
        return reach.of_rule(self.rule, is_own=is_own)


def find(text: str, source: Source) -> Subject:
    """Return what a text means: ``METHOD PATH``, or the name of a rule.

    :raises UsageError: there is no such operation or rule
    """
    if " " in text.strip():
        return Subject(operation(text).route.rule)
    return Subject(rule(text, source))


def operation(text: str) -> Operation:
    """Return an operation.

    :raises UsageError: there is no such operation
    """
    found = dry_run.operation(text)
    if found is None:
        raise UsageError(
            f"Unknown operation: {text}.{_similar(text, dry_run.documented())}"
        )
    return found


def rule(text: str, source: Source) -> str:
    """Return the name of a rule.

    :raises UsageError: no operation depends on such a rule
    """
    if text in source.checks:
        return text
    if text in source.policy.file_rules:
        raise UsageError(
            f"{text} is not a rule of console_api, and none references it: it "
            "has no effect."
        )
    raise UsageError(
        f"Unknown rule: {text}.{_similar(text, list(source.checks))}"
    )


def _similar(text: str, names: Sequence[str]) -> str:
    found = difflib.get_close_matches(text, names, _MAX_SIMILAR, cutoff=0.5)
    return f" Similar: {', '.join(found)}." if found else ""
