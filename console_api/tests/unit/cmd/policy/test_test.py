# SPDX-License-Identifier: Apache-2.0
from console_api.policies import console_hosts
from console_api.tests.unit.cmd.policy.base import PolicyCase
from console_api.tests.unit.cmd.program import Outcome
from console_api.tests.unit.policy.base import INDEX, rule

EXPECTATIONS = """
- name: Readers list consoles of their project, and no auditor ever does so.
  operation: GET /servers/{server_id}/consoles
  servers: own
  allowed: [reader]
  refused: [auditor]
- name: Only administrators list console hosts.
  operation: GET /os-console-hosts
  servers: all
  only: [admin]
"""


class TestTest(PolicyCase):
    def run_test(self, text: str, *options: str, policy: str = "") -> Outcome:
        """Test a policy file."""
        expectations = self.folder / "tests.yaml"
        expectations.write_text(text)
        path = self.folder / "policy.yaml"
        path.write_text(f"# rules\n{policy}")
        return self.run_policy(
            "test", "--policy", str(path), str(expectations), *options
        )

    def test_status_is_0_if_all_expectations_are_met(self) -> None:
        outcome = self.run_test(EXPECTATIONS)
        self.assertEqual((0, ""), (outcome.status, outcome.stderr))
        self.assertEqual(2, outcome.stdout.count("| yes |"))

    def test_status_is_1_and_failures_are_explained(self) -> None:
        policy = rule("role:auditor") + rule("@", console_hosts.INDEX)
        outcome = self.run_test(EXPECTATIONS, policy=policy)
        self.assertEqual((1, ""), (outcome.status, outcome.stderr))
        for part in (
            f"| NO  | {INDEX}, own servers: role ",
            "reader is refused; lacks role auditor",
            f"| {INDEX}, own servers: role ",
            "auditor is allowed",
            f"| NO  | {console_hosts.INDEX}: allowed, too: ",
            "| everyone ",
        ):
            self.assertIn(part, outcome.stdout)
        self.assertLessEqual(max(map(len, outcome.stdout.splitlines())), 110)

    def test_decision_of_another_server_is_explained(self) -> None:
        outcome = self.run_test(EXPECTATIONS, policy=rule("http://server/"))
        self.assertEqual(1, outcome.status)
        self.assertIn("another server", outcome.stdout)

    def test_programs_get_objects(self) -> None:
        outcome = self.run_test(
            EXPECTATIONS, "-f", "json", policy=rule("role:auditor")
        )
        first, second = outcome.json
        self.assertEqual(
            ("Only administrators list console hosts.", 7, True, []),
            tuple(second.values()),
        )
        self.assertFalse(first["met"])
        failure = first["failures"][0]
        self.assertEqual(
            (INDEX, "own", "allowed", False),
            tuple(
                failure[key]
                for key in ("rule", "servers", "expected", "allowed")
            ),
        )
        self.assertEqual(["reader"], failure["callers"][0]["roles"])
        self.assertEqual(["auditor"], failure["missing"][0]["roles"])

    def test_malformed_file_is_refused_with_the_line(self) -> None:
        for text, message in (
            ("- name: x\n  operatoin: y\n", "tests.yaml:2: Unknown key"),
            (
                '- {name: x, rule: "nope", servers: all, only: []}\n',
                "tests.yaml:1: Unknown rule: nope.",
            ),
        ):
            with self.subTest(message):
                outcome = self.run_test(text)
                self.assertEqual((2, ""), (outcome.status, outcome.stdout))
                self.assertIn(message, outcome.stderr)

    def test_missing_file_is_named(self) -> None:
        outcome = self.run_policy(
            "test", "--policy", "defaults", str(self.folder / "no.yaml")
        )
        self.assertEqual(2, outcome.status)
        self.assertIn("no.yaml", outcome.stderr)
