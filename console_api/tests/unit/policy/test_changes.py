# SPDX-License-Identifier: Apache-2.0
import unittest
from pathlib import Path
from unittest import mock

from console_api.policies import console_hosts, consoles, servers
from console_api.policy import changes, check, reach, reader
from console_api.policy.reach import Checks
from console_api.tests.unit.policy.base import INDEX, rule

DEFAULTS = check.check([]).checks
LIMIT = 600


def load(*rules: str) -> Checks:
    """Return the checks of a policy file with these rules."""
    text = "".join(rules).encode()
    return check.check([reader.read(Path("policy.yaml"), text)]).checks


def describe(after: Checks, before: Checks = DEFAULTS) -> list[str]:
    return list(changes.describe(before, after))


class ChangesTest(unittest.TestCase):
    def test_gains_and_losses_are_told_apart_by_project(self) -> None:
        after = load(
            rule("rule:context_is_admin or role:x", servers.ALL_TENANTS),
            rule("rule:project_manager_or_admin or role:x"),
        )
        self.assertEqual(
            [
                f"these callers gain {INDEX} in their own project: role x.",
                f"these callers lose {INDEX} in their own project: role "
                "reader; role member.",
                f"these callers gain {INDEX} in other projects: role x.",
            ],
            describe(after),
        )

    def test_other_text_of_the_same_policy_is_no_change(self) -> None:
        text = "(rule:context_is_admin) or rule:project_reader_api"
        self.assertEqual(
            ["no one gains or loses an operation."],
            describe(load(rule(text))),
        )

    def test_lines_are_limited_in_number_and_length(self) -> None:
        names = [
            f"os_compute_api:{name}"
            for name in ("os-consoles:show", "os-consoles:list")
        ]
        roles = " or ".join(f"role:{'x' * 1000}{n}" for n in range(100))
        lines = describe(load(*(rule(roles, name) for name in names)))
        self.assertLess(len(lines), 10)
        for line in lines:
            self.assertLess(len(line), LIMIT)
        self.assertIn("and others.", lines[0])

    def test_role_with_line_break_is_one_line(self) -> None:
        [line] = describe(load(rule(r"@ and not role:x\u2028y")))[:1]
        self.assertEqual(1, len(line.splitlines()))

    def test_rules_that_are_too_complex_are_reported(self) -> None:
        roles = " or ".join(
            f"(role:a{n % 29} and role:a{n % 31} and role:b{n % 37})"
            for n in range(100)
        )
        names = (consoles.SHOW, consoles.CREATE, servers.ALL_TENANTS)
        lines = describe(load(*(rule(roles, name) for name in names)))
        self.assertIn("too complex", lines[-1])

    def test_bug_is_logged_only(self) -> None:
        with (
            mock.patch.object(
                reach, "changes", side_effect=RuntimeError("a bug")
            ),
            self.assertLogs(changes.LOG, "ERROR"),
        ):
            changes.log(DEFAULTS, DEFAULTS, "the defaults")

    def test_console_hosts_belong_to_no_project(self) -> None:
        [line] = describe(load(rule("@", console_hosts.INDEX)))
        self.assertIn(f"{console_hosts.INDEX}: everyone, except", line)
