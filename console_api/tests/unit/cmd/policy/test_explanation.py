# SPDX-License-Identifier: Apache-2.0
from typing import Any
from unittest import mock

from console_api.api import dry_run
from console_api.cmd.policy.explanation import Explanation
from console_api.policies import consoles, servers
from console_api.policy import sources
from console_api.policy.callers import Caller
from console_api.policy.diagrams import TooComplexError
from console_api.policy.reach import Reach
from console_api.tests.unit import base
from console_api.tests.unit.base import OTHER_PROJECT, PROJECT
from console_api.tests.unit.policy.base import INDEX, caller, rule


class ExplanationCase(base.FolderCase):
    def explain(
        self,
        subject: str,
        *roles: str,
        text: str = "",
        server_project: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Explain a rule or an operation."""
        path = self.folder / "policy.yaml"
        path.write_text(f"# rules\n{text}")
        explanation = Explanation(
            sources.load(str(path)), caller(*roles, **more), server_project
        )
        operation = dry_run.operation(subject)
        if operation is None:
            return explanation.of_rule(subject)
        return explanation.of_operations([operation])

    def missing_roles(self, explained: dict[str, Any]) -> list[list[str]]:
        """Return the roles of each alternative."""
        return [list(each.roles) for each in explained["missing"]]


class OperationTest(ExplanationCase):
    def test_refusal_has_response_reasons_and_what_is_missing(self) -> None:
        text = rule("role:auditor and rule:project_reader_api")
        self.assertEqual(
            {
                "operations": ["GET /servers/{server_id}/consoles"],
                "rule": INDEX,
                "policy": f"{self.folder}/policy.yaml",
                "caller": {
                    "user_id": "a-user",
                    "project_id": PROJECT,
                    "roles": ["reader"],
                },
                "server_project": PROJECT,
                "own_project": True,
                "allowed": False,
                "status": 403,
                "response": f"Policy doesn't allow {INDEX} to be performed.",
                "decisions": [
                    {
                        "rule": INDEX,
                        "defined_in": f"{self.folder}/policy.yaml:2",
                        "project": PROJECT,
                        "allowed": False,
                        "because": [
                            {
                                "check": "role:auditor",
                                "rule": INDEX,
                                "defined_in": f"{self.folder}/policy.yaml:2",
                            }
                        ],
                    }
                ],
                "missing": [Caller(roles=("auditor",))],
            },
            self.explain(INDEX, "reader", text=text),
        )

    def test_allowed_caller_lacks_nothing(self) -> None:
        explained = self.explain(INDEX, "reader")
        self.assertEqual(
            (True, 200), (explained["allowed"], explained["status"])
        )
        self.assertEqual(
            (None, []), (explained["response"], explained["missing"])
        )
        [decision] = explained["decisions"]
        self.assertEqual(
            ["role:reader", "project_id:%(project_id)s"],
            [part["check"] for part in decision["because"]],
        )

    def test_operations_of_a_rule_are_explained_together(self) -> None:
        explained = self.explain("os_compute_api:os-remote-consoles", "member")
        self.assertEqual(
            [
                "POST /servers/{server_id}/remote-consoles",
                "POST /servers/{server_id}/action",
            ],
            explained["operations"],
        )

    def test_both_rules_on_another_project_are_explained(self) -> None:
        explained = self.explain(
            consoles.SHOW,
            "support",
            text=rule("role:support", servers.ALL_TENANTS),
            server_project=OTHER_PROJECT,
        )
        self.assertEqual(
            [(servers.ALL_TENANTS, True), (consoles.SHOW, False)],
            [(d["rule"], d["allowed"]) for d in explained["decisions"]],
        )
        self.assertEqual([["admin"]], self.missing_roles(explained))

    def test_what_is_missing_depends_on_the_project(self) -> None:
        text = rule("role:support") + rule(
            f"'{OTHER_PROJECT}':%(project_id)s", servers.ALL_TENANTS
        )
        for project, missing in ((OTHER_PROJECT, [["support"]]), ("x", [])):
            with self.subTest(project):
                explained = self.explain(
                    INDEX, text=text, server_project=project
                )
                self.assertEqual(missing, self.missing_roles(explained))

    def test_lists_without_hidden_consoles_are_explained(self) -> None:
        support = rule("role:support", servers.ALL_TENANTS)
        for subject, text, part, missing in (
            (INDEX, "", "The list is empty", [["admin"]]),
            (consoles.LIST, support, "no consoles of project", [["admin"]]),
        ):
            with self.subTest(subject):
                explained = self.explain(
                    *(subject, "support", "reader"),
                    text=text,
                    server_project=OTHER_PROJECT,
                )
                self.assertEqual(
                    (200, False), (explained["status"], explained["allowed"])
                )
                self.assertIn(part, explained["response"])
                self.assertEqual(missing, self.missing_roles(explained))

    def test_list_of_the_own_project_lacks_a_parameter(self) -> None:
        explained = self.explain(
            "GET /os-consoles", "admin", server_project=OTHER_PROJECT
        )
        self.assertIn("all_projects=true", explained["response"])
        self.assertIsNone(explained["missing"])

    def test_token_of_another_scope_lacks_a_project_and_roles(self) -> None:
        for roles, missing in (
            (("reader",), [[]]),
            ((), [["reader"], ["member"], ["manager"], ["admin"]]),
        ):
            with self.subTest(roles):
                explained = self.explain(
                    INDEX, *roles, project=None, system_scope="all"
                )
                self.assertEqual(
                    (403, []), (explained["status"], explained["decisions"])
                )
                self.assertEqual(missing, self.missing_roles(explained))
                for each in explained["missing"]:
                    self.assertEqual(["project_id"], list(each.attributes))

    def test_rule_without_decision_has_no_reasons(self) -> None:
        with mock.patch("requests.post", side_effect=OSError):
            explained = self.explain(INDEX, "reader", text=rule("http://x/"))
        self.assertEqual(503, explained["status"])
        [decision] = explained["decisions"]
        self.assertEqual(
            (None, []), (decision["allowed"], decision["because"])
        )
        [missing] = explained["missing"]
        self.assertEqual(("http://x/",), missing.checks)

    def test_rules_may_be_too_complex_for_what_is_missing(self) -> None:
        with mock.patch.object(
            Reach, "of_operation", side_effect=TooComplexError
        ):
            self.assertIsNone(self.explain(INDEX)["missing"])


class BaseRuleTest(ExplanationCase):
    def test_base_rule_is_explained_alone(self) -> None:
        explained = self.explain(
            "project_member_or_admin", "reader", server_project=OTHER_PROJECT
        )
        self.assertEqual(
            ([], None, None, False),
            tuple(
                explained[key]
                for key in ("operations", "status", "response", "allowed")
            ),
        )
        self.assertEqual([["admin"]], self.missing_roles(explained))
