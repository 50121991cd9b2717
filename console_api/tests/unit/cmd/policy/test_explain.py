# SPDX-License-Identifier: Apache-2.0
from console_api.policies import consoles
from console_api.tests.unit import base
from console_api.tests.unit.cmd.policy.base import PolicyCase
from console_api.tests.unit.policy.base import INDEX, rule

CREATE = "POST /servers/{server_id}/consoles"


class ExplainTest(PolicyCase):
    def explain(self, *arguments: str, status: int = 0) -> str:
        """Return what the command prints for people."""
        outcome = self.run_policy("explain", *arguments)
        self.assertEqual((status, ""), (outcome.status, outcome.stderr))
        return outcome.stdout

    def test_status_says_whether_the_caller_is_allowed(self) -> None:
        for roles, status in (("member", 0), ("reader", 1)):
            self.explain(
                *("--policy", "defaults", "--roles", roles),
                *("--operation", CREATE),
                status=status,
            )

    def test_people_read_reasons_and_what_is_missing(self) -> None:
        text = self.explain(
            *("--policy", "defaults", "--operation", CREATE),
            *("--roles", "reader"),
            status=1,
        )
        for part in (
            f"| {consoles.CREATE} fails on project project:",
            "|   role:member in project_member_api (default) ",
            "| missing        | role member ",
            "|                | or role manager ",
        ):
            self.assertIn(part, text)
        self.assertLess(max(map(len, text.splitlines())), 100)

    def test_people_read_that_nothing_suffices(self) -> None:
        text = self.explain(
            *("--policy", "defaults", "--rule", "owner"),
            *("--server-project", "other"),
            status=1,
        )
        self.assertIn("| missing        | No role or other attribute", text)
        text = self.explain("--policy", "defaults", "--rule", "owner")
        self.assertNotIn("No role", text)

    def test_what_the_service_would_log_is_not_printed(self) -> None:
        self.explain(
            *("--policy", "defaults", "--rule", INDEX, "--unscoped"), status=1
        )

    def test_policy_is_that_of_the_configuration_by_default(self) -> None:
        base.load_conf(self.folder)
        (self.folder / "policy.yaml").write_text(rule("role:auditor"))
        text = self.explain("--rule", INDEX, "--roles", "auditor")
        self.assertIn(f"({self.folder}/policy.yaml:1)", text.replace("\n", ""))

    def test_broken_policy_is_refused_with_its_findings(self) -> None:
        path = self.folder / "policy.yaml"
        path.write_text(rule("rule:nope"))
        outcome = self.run_policy(
            "explain", "--policy", str(path), "--rule", INDEX
        )
        self.assertEqual((2, ""), (outcome.status, outcome.stdout))
        self.assertIn(f"{path}:1: {INDEX}: ", outcome.stderr)

    def test_unknown_names_are_refused_with_similar_ones(self) -> None:
        path = self.folder / "policy.yaml"
        path.write_text('"os_compute_api:servers:index": "role:x"\n')
        for arguments, part in (
            (("--rule", "os_compute_api:os-consoles:inde"), f" {INDEX}"),
            (("--rule", "os_compute_api:servers:index"), "has no effect"),
            (("--rule", "x"), "Unknown rule: x."),
            (("--operation", "POST /servers/x/console"), CREATE),
            (("--operation", "x"), "Unknown operation: x."),
        ):
            with self.subTest(arguments):
                outcome = self.run_policy(
                    "explain", "--policy", str(path), *arguments
                )
                self.assertEqual((2, ""), (outcome.status, outcome.stdout))
                self.assertIn(part, outcome.stderr)

    def test_missing_files_are_named(self) -> None:
        missing = str(self.folder / "missing")
        for arguments in (("--policy", missing), ("--token", missing), ()):
            with self.subTest(arguments):
                outcome = self.run_policy(
                    "explain", "--rule", INDEX, *arguments
                )
                self.assertEqual((2, ""), (outcome.status, outcome.stdout))
                self.assertIn(str(self.folder), outcome.stderr)
