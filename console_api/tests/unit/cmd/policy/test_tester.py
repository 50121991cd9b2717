# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.cmd.policy.subjects import Subject
from console_api.cmd.policy.tester import Failure, Tester
from console_api.policies import console_hosts, servers
from console_api.policy.callers import Caller
from console_api.policy.expectations import Expectation
from console_api.tests.unit.policy.base import INDEX, checks_of, rule


def role(*names: str) -> Caller:
    """Return a caller with these roles."""
    return Caller(roles=names)


class TesterTest(unittest.TestCase):
    def failures(
        self,
        text: str = "",
        subject: str = INDEX,
        *,
        allowed: tuple[Caller, ...] = (),
        refused: tuple[Caller, ...] = (),
        only: tuple[Caller, ...] | None = None,
        servers: tuple[bool, ...] = (True,),
    ) -> list[Failure]:
        """Return what of an expectation is not met."""
        expectation = Expectation(
            name="x",
            line=1,
            subjects=(subject,),
            servers=servers,
            allowed=allowed,
            refused=refused,
            only=only,
        )
        tester = Tester(checks_of(text), [expectation])
        return list(tester.failures(expectation, [Subject(subject)]))

    def others(self, text: str, *only: Caller) -> list[str]:
        """Return who else is allowed."""
        return [
            str(caller)
            for failure in self.failures(rule(text), only=only)
            for caller in failure.callers
        ]

    def test_expectations_that_are_met_do_not_fail(self) -> None:
        found = self.failures(
            allowed=(role("reader"), role("admin")),
            refused=(role("service"), role("unknown"), Caller()),
            only=(
                role("reader"),
                role("member"),
                role("manager"),
                role("admin"),
            ),
        )
        self.assertEqual([], found)

    def test_refused_caller_lacks_something(self) -> None:
        [found] = self.failures(
            rule("role:auditor"), allowed=(role("reader"),)
        )
        self.assertEqual(
            Failure(
                *(INDEX, True, "allowed", False, [role("reader")]),
                [role("auditor")],
            ),
            found,
        )

    def test_allowed_caller_that_should_be_refused_fails(self) -> None:
        [found] = self.failures(refused=(role("reader"), role("service")))
        self.assertEqual(
            Failure(INDEX, True, "refused", True, [role("reader")]), found
        )

    def test_servers_of_other_projects_are_decided_separately(self) -> None:
        found = self.failures(
            rule("role:support", servers.ALL_TENANTS),
            allowed=(role("reader", "support"),),
            refused=(role("reader"),),
            servers=(True, False),
        )
        self.assertEqual(
            [(True, "refused"), (False, "allowed")],
            [(each.is_own, each.key) for each in found],
        )

    def test_resources_without_project_are_decided_once(self) -> None:
        [found] = self.failures(
            subject=console_hosts.INDEX,
            refused=(role("admin"),),
            servers=(True, False),
        )
        self.assertIsNone(found.is_own)

    def test_only_holds_for_all_callers(self) -> None:
        for text, only, expected in (
            ("role:a or role:b", (role("a"),), ["role b"]),
            ("role:a and role:b", (role("a"),), []),
            ("role:a", (role("a", "b"),), ["role a"]),
            ("!", (), []),
            ("@", (), ["everyone"]),
            ("@", (role("unknown"),), ["everyone"]),
            ("role:a or user_id:u", (role("a"),), ["user_id u"]),
            (
                "user_id:u",
                (Caller(attributes={"user_id": "u"}),),
                [],
            ),
            (
                "service_roles:s",
                (Caller(service_roles=("s",)),),
                [],
            ),
            ("not role:a", (role("b"),), ["everyone"]),
            ("@", (Caller(service_roles=("unknown",)),), ["everyone"]),
            ("@", (Caller(attributes={"user_id": "u"}),), ["everyone"]),
        ):
            with self.subTest(text, only=only):
                self.assertEqual(expected, self.others(text, *only))

    def test_decisions_of_other_servers_are_not_known(self) -> None:
        found = self.failures(
            rule("http://server/"),
            allowed=(role("a"),),
            refused=(role("b"),),
        )
        self.assertEqual([None, None], [each.is_allowed for each in found])
