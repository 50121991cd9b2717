# SPDX-License-Identifier: Apache-2.0
import unittest
from unittest import mock

from oslo_context.context import RequestContext

from console_api import errors
from console_api.api import dry_run, routes
from console_api.api.dry_run import Asked, Outcome
from console_api.policies import (
    console_auth_tokens,
    console_hosts,
    consoles,
    servers,
)
from console_api.policy import sources
from console_api.tests.unit import base
from console_api.tests.unit.base import OTHER_PROJECT, PROJECT, SERVER
from console_api.tests.unit.policy.base import caller, rule

ALL_TENANTS = servers.ALL_TENANTS


class OperationTest(unittest.TestCase):
    def test_documented_operations_are_recognized(self) -> None:
        for text in dry_run.documented():
            with self.subTest(text):
                found = dry_run.operation(text)
                assert found is not None
                self.assertEqual(text.partition(" (")[0], str(found))

    def test_paths_may_be_those_of_requests(self) -> None:
        index = "GET /servers/{server_id}/consoles"
        everywhere = "GET /os-consoles?all_projects=true"
        for text, expected in (
            ("GET /servers/{id}/consoles", index),
            (f"get  /servers/{SERVER}/consoles ", index),
            (f"HEAD /v2.1/servers/{SERVER}/consoles?limit=1", index),
            (f"GET /v2/{PROJECT}/servers/{SERVER}/consoles", index),
            (f"GET http://host:8774/v2.1/servers/{SERVER}/consoles", index),
            ("GET /servers/\u00fc/consoles", index),
            # An argument that is not encoded in UTF-8.
            ("GET /servers/\udcff/consoles", index),
            ("GET /os-consoles?all_projects=true", everywhere),
            ("GET /os-consoles (all_projects=true)", everywhere),
            ("GET /os-consoles?all_projects=false", "GET /os-consoles"),
        ):
            with self.subTest(text):
                self.assertEqual(expected, str(dry_run.operation(text)))

    def test_other_requests_are_unknown(self) -> None:
        for text in (
            "",
            "GET",
            "GET /",
            "/os-consoles",
            "PUT /os-consoles",
            "GET http://[x",
        ):
            with self.subTest(text):
                self.assertIsNone(dry_run.operation(text))

    def test_operations_of_every_route_are_found_by_rule(self) -> None:
        for route in routes.ROUTES:
            with self.subTest(route.rule):
                found = dry_run.of_rule(route.rule)
                self.assertIn(route, [each.route for each in found])
        self.assertEqual([], dry_run.of_rule(ALL_TENANTS))

    def test_list_of_another_project_is_one_of_all_projects(self) -> None:
        [own] = dry_run.of_rule(consoles.LIST)
        [other] = dry_run.of_rule(consoles.LIST, is_own=False)
        self.assertEqual((False, True), (own.lists_all, other.lists_all))


class PerformTest(base.FolderCase):
    def perform(
        self,
        request: str,
        context: RequestContext,
        text: str = "",
        project: str = PROJECT,
    ) -> Outcome:
        """Decide by a policy file."""
        path = self.folder / "policy.yaml"
        path.write_text(f"# rules\n{text}")
        operation = dry_run.operation(request)
        assert operation is not None
        decisions = sources.load(str(path)).decisions()
        return dry_run.perform(decisions, context, operation, project)

    def test_caller_of_the_project_is_decided_by_the_rule(self) -> None:
        request = "POST /servers/{id}/consoles"
        outcome = self.perform(request, caller("member"))
        asked = [Asked(consoles.CREATE, PROJECT, True)]
        self.assertEqual(Outcome(True, 200, "", asked), outcome)
        outcome = self.perform(request, caller("reader"))
        message = f"Policy doesn't allow {consoles.CREATE} to be performed."
        asked = [Asked(consoles.CREATE, PROJECT, False)]
        self.assertEqual(Outcome(False, 403, message, asked), outcome)

    def test_server_of_another_project_is_not_found(self) -> None:
        outcome = self.perform(
            f"DELETE /servers/{SERVER}/consoles/1",
            caller("member"),
            project=OTHER_PROJECT,
        )
        message = f"Server {SERVER} could not be found."
        asked = [Asked(ALL_TENANTS, OTHER_PROJECT, False)]
        self.assertEqual(Outcome(False, 404, message, asked), outcome)

    def test_administrator_reaches_all_projects(self) -> None:
        outcome = self.perform(
            "DELETE /servers/{id}/consoles/{console_id}",
            caller("admin"),
            project=OTHER_PROJECT,
        )
        self.assertEqual((True, 202), (outcome.is_allowed, outcome.status))

    def test_list_of_a_hidden_server_is_empty(self) -> None:
        outcome = self.perform(
            "GET /servers/{id}/consoles",
            caller("reader"),
            project=OTHER_PROJECT,
        )
        self.assertEqual((False, 200), (outcome.is_allowed, outcome.status))

    def test_list_of_all_projects_needs_both_rules(self) -> None:
        request = "GET /os-consoles?all_projects=true"
        support = caller("reader", "support")
        text = rule("role:support", ALL_TENANTS)
        for rules, expected in (
            ("", (False, 403)),
            (text, (False, 200)),
            (text + rule("role:support", consoles.LIST), (True, 200)),
        ):
            with self.subTest(rules):
                outcome = self.perform(request, support, rules, OTHER_PROJECT)
                self.assertEqual(
                    expected, (outcome.is_allowed, outcome.status)
                )

    def test_list_without_all_projects_has_the_own_one_only(self) -> None:
        for project, is_allowed in ((PROJECT, True), (OTHER_PROJECT, False)):
            outcome = self.perform(
                "GET /os-consoles", caller("admin"), project=project
            )
            self.assertEqual(
                (is_allowed, 200), (outcome.is_allowed, outcome.status)
            )

    def test_token_is_refused_before_and_after_it_is_looked_up(self) -> None:
        request = "GET /os-console-auth-tokens/{token}"
        own = rule("project_id:%(project_id)s", console_auth_tokens.SHOW)
        for context, text, expected in (
            (caller("service"), "", (True, 200)),
            (caller("member"), "", (False, 403)),
            (caller("member"), own, (False, 404)),
        ):
            with self.subTest(expected):
                outcome = self.perform(request, context, text, OTHER_PROJECT)
                self.assertEqual(
                    expected, (outcome.is_allowed, outcome.status)
                )

    def test_console_hosts_belong_to_no_project(self) -> None:
        outcome = self.perform(
            "GET /os-console-hosts", caller("admin"), project=OTHER_PROJECT
        )
        asked = [Asked(console_hosts.INDEX, PROJECT, True)]
        self.assertEqual(Outcome(True, 200, "", asked), outcome)

    def test_token_of_another_scope_is_refused_without_rules(self) -> None:
        for scope in ({"system_scope": "all"}, {"domain_id": "d"}, {}):
            with self.subTest(scope):
                outcome = self.perform(
                    "GET /os-consoles", caller("admin", project=None, **scope)
                )
                self.assertEqual((403, []), (outcome.status, outcome.asked))
                self.assertIn("project-scoped token", outcome.message)

    def test_project_in_the_path_must_be_that_of_the_caller(self) -> None:
        outcome = self.perform(
            f"GET /v2.1/{OTHER_PROJECT}/os-consoles", caller("admin")
        )
        self.assertEqual(400, outcome.status)

    def test_rule_without_decision_is_answered_with_503(self) -> None:
        with mock.patch("requests.post", side_effect=OSError):
            outcome = self.perform(
                "GET /os-consoles",
                caller("admin"),
                rule("http://server/", consoles.LIST),
            )
        asked = [Asked(consoles.LIST, PROJECT, None)]
        self.assertEqual((503, asked), (outcome.status, outcome.asked))

    def test_server_of_a_check_is_asked(self) -> None:
        with mock.patch("requests.post") as post:
            post.return_value.text = "True"
            outcome = self.perform(
                "GET /os-consoles",
                caller("reader"),
                rule("http://server/", consoles.LIST),
            )
        self.assertTrue(outcome.is_allowed)
        post.assert_called_once()


class EvaluateTest(unittest.TestCase):
    def test_base_rule_may_have_no_decision(self) -> None:
        decisions = sources.load("defaults").decisions()
        with mock.patch.object(
            decisions, "allows", side_effect=errors.PolicyUnavailable
        ):
            outcome = dry_run.evaluate(
                decisions, caller("reader"), "owner", PROJECT
            )
        asked = [Asked("owner", PROJECT, None)]
        self.assertEqual(Outcome(False, None, "", asked), outcome)

    def test_base_rule_is_evaluated_alone(self) -> None:
        decisions = sources.load("defaults").decisions()
        name = "project_reader_api"
        for project, is_allowed in ((PROJECT, True), (OTHER_PROJECT, False)):
            asked = Asked(name, project, is_allowed)
            self.assertEqual(
                Outcome(is_allowed, None, "", [asked]),
                dry_run.evaluate(decisions, caller("reader"), name, project),
            )
