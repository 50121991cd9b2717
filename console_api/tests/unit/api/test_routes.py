# SPDX-License-Identifier: Apache-2.0
import unittest

from console_api.api import routes
from console_api.tests.unit.base import PROJECT, SERVER

CONSOLES = "/servers/{server_id}/consoles"
CONSOLE = "/servers/{server_id}/consoles/{console_id}"
TOKEN = "/os-console-auth-tokens/{console_token}"
REMOTE = "/servers/{server_id}/remote-consoles"
ACTION = "/servers/{server_id}/action"


class MatchTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.table = routes.RouteTable()

    def test_each_path_leads_to_its_operations(self) -> None:
        for path, template, methods, variables in (
            (f"/servers/{SERVER}/consoles", CONSOLES, "GET POST", {}),
            (
                f"/servers/{SERVER}/consoles/1",
                CONSOLE,
                "DELETE GET",
                {"console_id": "1"},
            ),
            (f"/servers/{SERVER}/remote-consoles", REMOTE, "POST", {}),
            (f"/servers/{SERVER}/action", ACTION, "POST", {}),
        ):
            for prefix, project in (
                ("", {}),
                (f"/{PROJECT}", {"project_id": PROJECT}),
            ):
                with self.subTest(prefix + path):
                    match = self.table.match(prefix + path)
                    assert match is not None
                    self.assertEqual(template, match.template)
                    self.assertEqual(
                        methods, " ".join(sorted(match.operations))
                    )
                    self.assertEqual(
                        {"server_id": SERVER, **variables, **project},
                        match.variables,
                    )

    def test_every_route_is_found_by_its_path(self) -> None:
        for route in routes.ROUTES:
            with self.subTest(route.path, method=route.method):
                path = route.path.replace("{", "").replace("}", "")
                match = self.table.match(path)
                assert match is not None
                self.assertIs(route, match.operations[route.method])

    def test_a_segment_may_be_anything_but_a_slash(self) -> None:
        for text in (
            "a.json",
            "a;b",
            "a b",
            "%2F",
            "{console_token}",
            "a\n",
            "\n",
            "\0",
            "\xff\xfe",
            "..",
            "x" * 10_000,
        ):
            with self.subTest(text[:50]):
                match = self.table.match(f"/os-console-auth-tokens/{text}")
                assert match is not None
                self.assertEqual(TOKEN, match.template)
                self.assertEqual({"console_token": text}, match.variables)

    def test_other_paths_lead_nowhere(self) -> None:
        consoles = f"/servers/{SERVER}/consoles"
        for path in (
            "",
            "/",
            "*",
            "/servers",
            f"/servers/{SERVER}",
            consoles.lstrip("/"),
            f"{consoles}/",
            f"{consoles}/1/",
            f"{consoles}/1/2",
            f"{consoles}.json",
            f"{consoles}\n",
            f"/{consoles}",
            f"//{PROJECT}{consoles}",
            f"/{PROJECT.upper()}{consoles}",
            f"/a project{consoles}",
            f"/{PROJECT}\n{consoles}",
            f"/{PROJECT}/{PROJECT}{consoles}",
            "/servers//consoles",
            "/os-console-auth-tokens",
            "/os-console-auth-tokens/",
            "/os-console-auth-tokens/a/b",
            f"/Servers/{SERVER}/consoles",
        ):
            with self.subTest(path):
                self.assertIsNone(self.table.match(path))

    def test_the_allowed_methods_are_those_of_the_path(self) -> None:
        for path, allowed in (
            ("/servers/a/consoles", "GET, HEAD, POST"),
            ("/servers/a/consoles/1", "DELETE, GET, HEAD"),
            ("/os-console-auth-tokens/a", "GET, HEAD"),
            ("/servers/a/action", "POST"),
        ):
            with self.subTest(path):
                match = self.table.match(path)
                assert match is not None
                self.assertEqual(allowed, match.allowed)


class TableTest(unittest.TestCase):
    def test_no_operation_is_given_twice(self) -> None:
        every = [(route.path, route.method) for route in routes.ROUTES]
        self.assertEqual(sorted(every), sorted(set(every)))

    def test_what_must_not_be_logged_is_part_of_a_path(self) -> None:
        for name in routes.SECRETS:
            self.assertIn(
                f"{{{name}}}", "".join(route.path for route in routes.ROUTES)
            )
