# SPDX-License-Identifier: Apache-2.0
"""Findings about the parts of a rule, each by itself."""

import difflib
from collections.abc import Iterator
from typing import cast

from oslo_policy import _checks

from console_api.policy import characters, constants, vocabulary
from console_api.policy.findings import Level, shorten
from console_api.policy.rules import Policy, leaves
from console_api.policy.vocabulary import PERSONAS

# How similar a role is to one of the personas that may be meant.
_SIMILARITY = 0.85

# Signs of patterns and lists.
_SIGNS = set(",;|&*?[]")

_OWN = "project_id:%(project_id)s"


def add(result: Policy, name: str, *, never: bool) -> None:
    """Report parts of a rule that never or always pass, or ask other servers.

    :param never: whether the rule as a whole never passes
    """
    found = {
        (str(leaf), owner): leaf for leaf, owner in _own_leaves(result, name)
    }
    for (_text, owner), leaf in found.items():
        part = str(leaf) if owner == name else f"rule:{owner}"
        quoted = shorten(str(leaf))
        consequence = (
            "No one passes the rule, not even an administrator."
            if never
            else "The part lets no one in."
        )
        if missing := vocabulary.unknown(leaf):
            result.report(
                Level.ERROR,
                name,
                f'The part "{quoted}" never passes: {missing} does not exist.',
                _existing(cast("_checks.Check", leaf), missing),
                consequence=consequence,
                part=part,
            )
        elif scope := constants.scope(leaf):
            result.report(
                Level.ERROR if never else Level.WARNING,
                name,
                f'The part "{quoted}" never passes: it requires {scope}, '
                "which is refused before any rule.",
                "Write rule:context_is_admin or another persona.",
                consequence=consequence,
                part=part,
            )
        elif isinstance(leaf, _checks.Check):
            _add_part(result, name, leaf, part)


def _existing(leaf: _checks.Check, missing: str) -> str:
    """Return what to write instead of something that does not exist."""
    if missing.startswith("%"):
        return (
            "Only the project of the server is known; write "
            f"{_OWN} to compare it."
        )
    kind = vocabulary.similar_kind(leaf.kind)
    if kind is None or "project" in leaf.kind or "tenant" in leaf.kind:
        return f"Write {_OWN} for the server's project."
    return f"Write {kind}:, if that is meant."


def _add_part(
    result: Policy, name: str, leaf: _checks.Check, part: str
) -> None:
    quoted = shorten(str(leaf))
    if leaf.kind in {"http", "https"}:
        _add_outside(result, name, leaf, part)
    elif leaf.kind == "role":
        _add_role(result, name, leaf, part)
    elif constants.is_false(leaf):
        result.report(
            Level.WARNING,
            name,
            f'The part "{quoted}" never passes.',
            "Remove it, or write what is meant.",
            consequence="The part lets no one in.",
            part=part,
        )
    elif (
        constants.is_for_everyone(leaf) or str(leaf) == "is_admin_project:True"
    ):
        always = "always" if constants.is_for_everyone(leaf) else "usually"
        result.report(
            Level.WARNING,
            name,
            f'The part "{quoted}" {always} passes: it does not depend on the '
            "roles of the caller.",
            "Write a role or a base rule, such as rule:context_is_admin.",
            consequence="It excludes no one; alternatives to it have no "
            "effect."
            if always == "always"
            else "Unless Keystone has an admin project, it is true for every "
            "token.",
            part=part,
        )


def _add_role(
    result: Policy, name: str, leaf: _checks.Check, part: str
) -> None:
    """Report a role whose name may not be meant."""
    role = leaf.match.lower()
    if foreign := characters.foreign(role):
        result.report(
            Level.WARNING,
            name,
            f'"{shorten(str(leaf))}" contains {foreign} among letters of '
            "another alphabet.",
            "Type the name of the role again.",
            consequence="Those who have the role that looks like it do not "
            "pass.",
            part=part,
        )
    elif set(role) & _SIGNS:
        result.report(
            Level.WARNING,
            name,
            f'"{shorten(str(leaf))}" is the name of one role: there are no '
            "patterns and no lists.",
            'Write "role:a or role:b" for several roles.',
            consequence="Only those who have a role of exactly this name "
            "pass.",
            part=part,
        )
    elif role not in PERSONAS and (
        similar := difflib.get_close_matches(role, PERSONAS, 1, _SIMILARITY)
    ):
        result.report(
            Level.NOTE,
            name,
            f"The name of the role resembles {similar[0]}.",
            f"Write role:{similar[0]}, if that is meant.",
            consequence=f"Those who have the role {similar[0]} do not pass.",
            part=part,
        )


def _add_outside(
    result: Policy, name: str, leaf: _checks.Check, part: str
) -> None:
    quoted = shorten(str(leaf))
    message = (
        f'The part "{quoted}" asks another server for each decision, and '
        "refuses if there is no answer within [oslo_policy] remote_timeout "
        "seconds."
    )
    if leaf.kind == "http":
        result.report(
            Level.WARNING,
            name,
            f"{message} The connection is not encrypted.",
            "Use https:, and set a short remote_timeout.",
            consequence="Every request waits for the server; user, project "
            "and roles can be read on the way, and answers can be forged.",
            part=part,
        )
    else:
        result.report(
            Level.WARNING,
            name,
            f"{message} Its certificate is verified only with "
            "remote_ssl_verify_server_crt.",
            "Set [oslo_policy] remote_ssl_verify_server_crt = true and a "
            "short remote_timeout.",
            consequence="Every request waits for the server, and without the "
            "option another server can answer in its place.",
            part=part,
        )


def _own_leaves(
    result: Policy, name: str
) -> Iterator[tuple[_checks.BaseCheck, str]]:
    """Iterate over the checks of a rule and of defaults that it references.

    Another rule of the files has findings of its own.

    :returns: each check, and the rule that contains it
    """
    seen: set[str] = set()
    # Each with the rule of the file, or what it references.
    pending = [(name, name)]
    while pending:
        current, owner = pending.pop()
        for leaf, _is_negated in leaves(result.checks[current]):
            if not isinstance(leaf, _checks.RuleCheck):
                yield leaf, owner
            elif leaf.match not in {*result.file_rules, *seen}:
                seen.add(leaf.match)
                pending.append(
                    (leaf.match, leaf.match if current == name else owner)
                )
