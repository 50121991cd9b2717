# SPDX-License-Identifier: Apache-2.0
from typing import Any
from unittest import mock

from console_api.cmd.policy import who_can
from console_api.tests.unit.cmd.policy.base import PolicyCase
from console_api.tests.unit.policy.base import INDEX, rule


class WhoCanTest(PolicyCase):
    def who_can(self, subject: str, *options: str, text: str = "") -> Any:
        """Run the command with a policy file."""
        path = self.folder / "policy.yaml"
        path.write_text(f"# rules\n{text}")
        outcome = self.run_policy(
            "who-can", subject, "--policy", str(path), *options
        )
        self.assertEqual((0, ""), (outcome.status, outcome.stderr))
        return outcome.json if "json" in options else outcome.stdout

    def test_callers_are_listed_by_kind_of_servers(self) -> None:
        rows = self.who_can(
            INDEX, "-f", "csv", text=rule("not role:guest")
        ).splitlines()
        self.assertEqual(
            [
                '"servers","caller","except"',
                '"own","everyone","role guest"',
                '"other","role admin","role guest"',
            ],
            rows,
        )

    def test_operations_without_project_have_one_kind(self) -> None:
        text = self.who_can("GET /os-console-hosts")
        self.assertIn("| all     | role admin |        |", text)

    def test_own_servers_are_not_among_other_ones(self) -> None:
        text = rule("rule:mine") + rule(
            "'x':%(project_id)s and project_id:x", "mine"
        )
        rows = self.who_can("mine", "-f", "value", text=text)
        self.assertEqual(
            ["own project_id x ", "other no one "], rows.splitlines()
        )

    def test_no_one_is_said(self) -> None:
        rows = self.who_can(INDEX, "-f", "value", text=rule("!"))
        self.assertEqual(["own no one ", "other no one "], rows.splitlines())

    def test_programs_get_objects(self) -> None:
        rows = self.who_can("owner", "-f", "json")
        everyone: dict[str, Any] = {
            "roles": [],
            "without_roles": [],
            "service_roles": [],
            "attributes": {},
            "server_project": None,
            "checks": [],
        }
        self.assertEqual(
            [
                {"servers": "own", "caller": everyone, "except": []},
                {"servers": "other", "caller": None, "except": []},
            ],
            rows,
        )

    def test_omitted_callers_are_reported(self) -> None:
        with mock.patch.object(who_can, "_MAX_GROUPS", 1):
            outcome = self.run_policy("who-can", "--policy", "defaults", INDEX)
        self.assertEqual(0, outcome.status)
        self.assertIn("There are more callers", outcome.stderr)

    def test_complex_rules_are_refused(self) -> None:
        with mock.patch("console_api.policy.diagrams._MAX_NODES", 3):
            outcome = self.run_policy("who-can", "--policy", "defaults", INDEX)
        self.assertEqual((2, ""), (outcome.status, outcome.stdout))
        self.assertIn("too complex", outcome.stderr)
