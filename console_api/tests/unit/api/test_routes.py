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

    def test_path_leads_to_its_operations(self) -> None:
        for path, template, methods, variables in (
            (f"/servers/{SERVER}/consoles", CONSOLES, "GET POST", {}),
            (
                f"/servers/{SERVER}/consoles/1",
                CONSOLE,
                "DELETE GET",
                {"console_id": "1"},
            ),
            (f"/servers/{SERVER}/remote-consoles", REMOTE, "DELETE POST", {}),
            (f"/servers/{SERVER}/action", ACTION, "POST", {}),
        ):
            for prefix, project in (
                ("", {}),
                (f"/{PROJECT}", {"project_id": PROJECT}),
            ):
                with self.subTest(prefix + path):
                    match = self.table.match(prefix + path, "GET")
                    assert match is not None
                    self.assertEqual(template, match.template)
                    self.assertEqual(
                        methods, " ".join(sorted(match.operations))
                    )
                    self.assertEqual(
                        {"server_id": SERVER, **variables, **project},
                        match.variables,
                    )

    def test_every_route_is_found_by_path_and_method(self) -> None:
        for route in routes.ROUTES:
            with self.subTest(route.path, method=route.method):
                path = route.path.replace("{", "").replace("}", "")
                match = self.table.match(path, route.method)
                assert match is not None
                self.assertIs(route, match.route)

    def test_head_leads_to_route_of_get(self) -> None:
        for path, expected in (
            (f"/servers/{SERVER}/consoles", "GET"),
            (f"/servers/{SERVER}/action", None),
        ):
            with self.subTest(path):
                match = self.table.match(path, "HEAD")
                assert match is not None
                self.assertEqual(
                    expected, match.route.method if match.route else None
                )

    def test_variable_matches_anything_but_a_slash(self) -> None:
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
                match = self.table.match(
                    f"/os-console-auth-tokens/{text}", "GET"
                )
                assert match is not None
                self.assertEqual(TOKEN, match.template)
                self.assertEqual({"console_token": text}, match.variables)

    def test_other_paths_are_unknown(self) -> None:
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
                self.assertIsNone(self.table.match(path, "GET"))

    def test_allowed_methods_are_those_of_the_path(self) -> None:
        for path, allowed in (
            ("/servers/a/consoles", "GET, HEAD, POST"),
            ("/servers/a/consoles/1", "DELETE, GET, HEAD"),
            ("/os-console-auth-tokens/a", "DELETE, GET, HEAD"),
            ("/servers/a/remote-consoles", "DELETE, POST"),
            ("/servers/a/action", "POST"),
            ("/os-console-hosts/vnc/a", "GET, HEAD, PUT"),
        ):
            with self.subTest(path):
                match = self.table.match(path, "GET")
                assert match is not None
                self.assertEqual(allowed, match.allowed)


class TableTest(unittest.TestCase):
    def test_no_operation_is_listed_twice(self) -> None:
        every = [(route.path, route.method) for route in routes.ROUTES]
        self.assertEqual(sorted(every), sorted(set(every)))

    def test_secret_variables_occur_in_paths(self) -> None:
        for name in routes.SECRETS:
            self.assertIn(
                f"{{{name}}}", "".join(route.path for route in routes.ROUTES)
            )
