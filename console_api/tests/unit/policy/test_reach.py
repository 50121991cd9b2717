# SPDX-License-Identifier: Apache-2.0
"""Comparisons of policies against decisions for every caller."""

import inspect
import itertools
import random
import unittest
from pathlib import Path
from unittest import mock

from oslo_config import cfg
from oslo_context.context import RequestContext
from oslo_policy import _checks, policy

from console_api.policies import console_auth_tokens as tokens
from console_api.policies import consoles, servers
from console_api.policy import access, check, reach, reader
from console_api.policy.access import ACCESS
from console_api.policy.callers import Caller
from console_api.policy.decisions import Decisions
from console_api.policy.outside import OutsideChecks
from console_api.policy.reach import Change, Checks
from console_api.policy.vocabulary import PERSONAS
from console_api.tests.unit.base import PROJECT

OTHER_PROJECT = "another-project"
PATH = Path("policy.yaml")

# All that the random checks and the defaults name, and something else.
ROLES = (*PERSONAS, "operator")
USERS = ("dave", "carol")
SERVICE_ROLES = ((), ("service",))

# Maximum number of roles of a caller.
MAX_ROLES = 3

# Parts of random checks.
PARTS = (
    "role:reader",
    "role:member",
    "role:ADMIN",
    "role:operator",
    "user_id:dave",
    "service_roles:service",
    "project_id:%(project_id)s",
    f"project_id:{OTHER_PROJECT}",
    f"'{OTHER_PROJECT}':%(project_id)s",
    "is_admin:True",
    "is_admin:False",
    "rule:project_member_or_admin",
    "rule:project_reader_api",
    "rule:admin_or_owner",
    "@",
    "!",
)
NAMES = (
    *ACCESS,
    servers.ALL_TENANTS,
    "context_is_admin",
    "project_member_api",
)


def load(rules: dict[str, str]) -> Checks:
    """Return the checks of a policy file with these rules."""
    text = "".join(f'"{name}": "{rule}"\n' for name, rule in rules.items())
    found = check.check([reader.read(PATH, text.encode())])
    if found.broken:
        raise AssertionError(found.broken[0])
    return found.checks


def random_check(chance: random.Random, depth: int = 2) -> str:
    if depth == 0:
        return chance.choice(PARTS)
    parts = [
        random_check(chance, chance.randrange(depth))
        for _ in range(chance.randint(1, 3))
    ]
    text = f" {chance.choice(('and', 'or'))} ".join(parts)
    return f"not ({text})" if chance.random() < 0.1 else f"({text})"


def random_rules(chance: random.Random) -> dict[str, str]:
    names = chance.sample(NAMES, chance.randint(0, 3))
    rules = {name: random_check(chance) for name in names}
    # Those of the parts reference it.
    if "rule:" in rules.get("project_member_api", ""):
        del rules["project_member_api"]
    if "rule:" in rules.get("context_is_admin", ""):
        del rules["context_is_admin"]
    return rules


def each_caller(*, is_own: bool) -> list[Caller]:
    """Return all callers, on servers of their own or other projects."""
    targets = (None,) if is_own else (OTHER_PROJECT, "a-third-project")
    return [
        Caller(
            roles=roles,
            service_roles=service_roles,
            attributes={"user_id": user, "project_id": project},
            server_project=target,
        )
        for count in range(MAX_ROLES + 1)
        for roles in itertools.combinations(ROLES, count)
        for service_roles in SERVICE_ROLES
        for user in USERS
        for project in (PROJECT, OTHER_PROJECT)
        for target in targets
        if target != project
    ]


def context_of(caller: Caller) -> RequestContext:
    return RequestContext(
        user_id=str(caller.attributes["user_id"]),
        project_id=str(caller.attributes["project_id"]),
        roles=list(caller.roles),
        service_roles=list(caller.service_roles),
        overwrite=False,
    )


CALLERS = {is_own: each_caller(is_own=is_own) for is_own in (True, False)}
CONTEXTS = {
    is_own: [context_of(caller) for caller in callers]
    for is_own, callers in CALLERS.items()
}


_FULL_ARGUMENTS = inspect.getfullargspec(_checks.GenericCheck.__call__)


def signature_of_checks(check: _checks.BaseCheck) -> inspect.FullArgSpec:
    """Return the signature that all checks have."""
    del check
    return _FULL_ARGUMENTS


class Service:
    """Decides as the API does."""

    def __init__(self, checks: Checks) -> None:
        conf = cfg.ConfigOpts()
        # The oldest oslo.policy looks for a policy file.
        conf([], default_config_files=[], default_config_dirs=[])
        enforcer = policy.Enforcer(conf, use_conf=False)
        enforcer.default_rule = None
        enforcer.set_rules(dict(checks))
        self._decide = Decisions(enforcer, OutsideChecks(1, 1)).decide
        self._texts = {name: str(each) for name, each in checks.items()}
        self._decided: dict[tuple[int, str, str | None], bool] = {}

    def allowed(self) -> dict[tuple[str, bool], set[int]]:
        """Return which callers pass each operation, as numbers."""
        return {
            (rule, is_own): {
                number
                for number, caller in enumerate(CALLERS[is_own])
                if self.allows(
                    CONTEXTS[is_own][number], rule, caller.server_project
                )
            }
            for rule in ACCESS
            for is_own in _relations(rule)
        }

    def _allows(
        self, caller: RequestContext, rule: str, project: str | None
    ) -> bool:
        # Equal checks decide alike, and most of the defaults are equal.
        key = (id(caller), self._texts[rule], project)
        if key not in self._decided:
            self._decided[key] = self._decide(caller, rule, project)
        return self._decided[key]

    def allows(
        self, caller: RequestContext, rule: str, target: str | None
    ) -> bool:
        """Return whether a caller passes, on their own project by default."""
        request = (self._allows, caller, rule)
        return (
            access.may_begin(*request)
            and (target is None or access.may_list_others(*request))
            and access.may_reach(*request, target or caller.project_id)
        )


def _relations(rule: str) -> tuple[bool, ...]:
    return (True, False) if ACCESS[rule].has_project else (True,)


class ChangesTest(unittest.TestCase):
    def setUp(self) -> None:
        # oslo.policy examines the signature of a check whenever it calls it,
        # which takes most of the time.
        self.enterContext(
            mock.patch.object(inspect, "getfullargspec", signature_of_checks)
        )

    def test_changes_are_those_of_all_decisions(self) -> None:
        chance = random.Random(20261128)
        before = load({})
        allowed_before = Service(before).allowed()
        found = 0
        for number in range(100):
            rules = random_rules(chance)
            after = load(rules)
            allowed_after = Service(after).allowed()
            with self.subTest(number, rules=rules):
                expected: dict[tuple[str, bool, bool], set[int]] = {}
                for key, old in allowed_before.items():
                    new = allowed_after[key]
                    if new - old:
                        expected[*key, True] = new - old
                    if old - new:
                        expected[*key, False] = old - new
                changes = {
                    (each.rule, each.is_own is not False, each.is_gain): each
                    for each in reach.changes(before, after)
                }
                self.assertEqual(expected.keys(), changes.keys())
                for change, numbers in expected.items():
                    self.check_callers(numbers, changes[change])
                found += len(expected)
            before, allowed_before = after, allowed_after
        self.assertGreater(found, 100)

    def check_callers(self, numbers: set[int], change: Change) -> None:
        """Check that each caller who changes has what one of these has."""
        self.assertTrue(change.audience.is_complete)
        for number in numbers:
            caller = CALLERS[change.is_own is not False][number]
            self.assertTrue(
                any(
                    _includes(caller, group.caller)
                    for group in change.audience.groups
                ),
                (str(caller), change.describe(reach.MAX_CALLERS)),
            )


def _includes(caller: Caller, other: Caller) -> bool:
    """Return whether a caller has all that another one has."""
    roles = {role.lower() for role in caller.roles}
    return (
        roles.issuperset(role.lower() for role in other.roles)
        and {*caller.service_roles}.issuperset(other.service_roles)
        and other.attributes.items() <= caller.attributes.items()
        and other.server_project in {None, caller.server_project}
    )


class ReachTest(unittest.TestCase):
    def changes(self, **rules: str) -> list[str]:
        """Return the changes that rules of a file make to the defaults."""
        return [
            f"{'own' if each.is_own else 'other'}: "
            f"{'+' if each.is_gain else '-'} "
            f"{'; '.join(each.describe(5))}"
            for each in reach.changes(load({}), load(rules))
        ]

    def test_spelling_of_roles_matters_to_some_checks(self) -> None:
        for before, after, gains in (
            ("roles:support", "role:support", ["role Support"]),
            ("roles:Support", "roles:support", ["role support"]),
            ("roles:ab or roles:AB or roles:Ab", "role:ab", ["role aB"]),
            ("roles:1", "role:1", []),
            ("!", "roles:Ab and roles:ab", ["roles Ab and ab"]),
        ):
            with self.subTest(before):
                changes = reach.changes(
                    load({consoles.SHOW: before}), load({consoles.SHOW: after})
                )
                found = [
                    caller
                    for change in changes
                    if change.is_own and change.is_gain
                    for caller in change.describe(2)
                ]
                self.assertEqual(gains, found)

    def test_simplest_callers_are_shown(self) -> None:
        for text, expected in (
            ("rule:project_reader_or_admin", []),
            (
                "@",
                [
                    "own: + everyone, except role reader or role member or "
                    "role manager or role admin"
                ],
            ),
            (
                "role:member and project_id:%(project_id)s",
                [
                    "own: - role reader; role manager; role admin",
                    "other: - role admin",
                ],
            ),
            (
                "rule:project_reader_or_admin or user_id:dave or (role:a and "
                "roles:B and service_roles:c) or http://policy/",
                [
                    'own: + "http://policy/" passes; user_id dave; '
                    "roles a and B, service role c"
                ],
            ),
            (
                "rule:project_reader_or_admin and not role:x",
                [
                    "own: - roles reader and x; roles member and x; "
                    "roles manager and x; roles admin and x",
                    "other: - roles admin and x",
                ],
            ),
        ):
            with self.subTest(text):
                found = self.changes(**{consoles.INDEX: text})
                self.assertEqual(expected, found)

    def test_lax_rule_opens_other_projects_with_rule_for_all(self) -> None:
        found = self.changes(
            **{
                consoles.INDEX: "role:support",
                servers.ALL_TENANTS: "role:support",
            }
        )
        self.assertIn("other: + role support", found)

    def test_tokens_are_looked_up_for_all_projects(self) -> None:
        found = self.changes(**{tokens.SHOW: "role:proxy"})
        lost = "role service; role admin"
        self.assertEqual(
            [
                "own: + role proxy",
                f"own: - {lost}",
                "other: + role proxy",
                f"other: - {lost}",
            ],
            found,
        )
