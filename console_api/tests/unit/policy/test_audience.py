# SPDX-License-Identifier: Apache-2.0
import unittest
from unittest import mock

from console_api.policies import servers
from console_api.policy import audience
from console_api.policy.audience import Audience
from console_api.policy.callers import Callers
from console_api.policy.diagrams import ALWAYS
from console_api.policy.reach import Reach
from console_api.tests.unit.policy.base import INDEX, checks_of, rule


class AudienceTest(unittest.TestCase):
    def audience(
        self, text: str, *, is_own: bool = True, limit: int = 10
    ) -> Audience:
        """Return who may list the consoles of a server."""
        checks = checks_of(text)
        callers = Callers([checks])
        return Audience.of(
            callers,
            Reach(checks, callers).of_operation(INDEX, is_own=is_own),
            ALWAYS if is_own else callers.in_other_project(),
            limit,
        )

    def test_groups_have_their_exceptions(self) -> None:
        for check, expected in (
            ("!", []),
            ("@", ["everyone"]),
            ("role:a or role:b", ["role a", "role b"]),
            ("not role:a", ["everyone, except role a"]),
            (
                "not role:a and not role:b",
                ["everyone, except role a or role b"],
            ),
            ("role:a and not user_id:x", ["role a, except user_id x"]),
            ("role:a and (role:b or not role:c)", ["role a, except role c"]),
            (
                "http://x/ and not role:a",
                ['"http://x/" passes, except role a'],
            ),
            ("not http://x/", ['everyone, except "http://x/" passes']),
            (
                "is_admin_project:True",
                ["everyone, except is_admin_project False"],
            ),
        ):
            with self.subTest(check):
                found = self.audience(rule(check)).groups
                self.assertEqual(expected, list(map(str, found)))

    def test_own_servers_are_no_exception_from_other_ones(self) -> None:
        text = rule("@") + rule("'x':%(project_id)s", servers.ALL_TENANTS)
        found = self.audience(text, is_own=False).groups
        self.assertEqual(["on servers of project x"], list(map(str, found)))

    def test_exceptions_lack_what_the_group_has(self) -> None:
        text = rule("not role:a") + rule(
            "'x':%(project_id)s", servers.ALL_TENANTS
        )
        [found] = self.audience(text, is_own=False).groups
        self.assertEqual("on servers of project x, except role a", str(found))

    def test_number_of_exceptions_is_limited(self) -> None:
        text = rule("not role:a and not role:b and not role:c")
        for limit, is_complete in ((3, False), (4, True)):
            with mock.patch.object(audience, "_MAX_EXCEPTIONS", limit):
                found = self.audience(text)
                self.assertEqual(
                    (3, is_complete),
                    (len(found.groups[0].exceptions), found.is_complete),
                )

    def test_number_of_groups_is_limited(self) -> None:
        text = rule("role:a or role:b or role:c")
        for limit, is_complete in ((2, False), (3, True)):
            found = self.audience(text, limit=limit)
            self.assertEqual(
                (limit, is_complete), (len(found.groups), found.is_complete)
            )
