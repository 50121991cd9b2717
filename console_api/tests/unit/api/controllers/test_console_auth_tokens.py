# SPDX-License-Identifier: Apache-2.0
import json
from typing import Any
from unittest import mock

from console_api import errors
from console_api.api.controllers import console_auth_tokens
from console_api.policies import console_auth_tokens as policies
from console_api.tests.unit.api.controllers.base import ControllerCase
from console_api.tests.unit.base import OTHER_PROJECT, PROJECT
from console_api.tests.unit.tokens.test_access import TOKEN


class ShowTest(ControllerCase):
    def issue(self, protocol: str, kind: str) -> str:
        """Issue a token and return it."""
        with mock.patch(
            "console_api.tokens.manager.secrets.token_urlsafe",
            return_value=f"{TOKEN}-{kind}",
        ):
            self.service.tokens.issue(self.server, protocol, kind, None)
        return f"{TOKEN}-{kind}"

    def show(
        self,
        token: str,
        role: str = "service",
        project: str | None = None,
        **request: Any,
    ) -> dict[str, Any]:
        reply = console_auth_tokens.show(
            self.request(role, project, console_token=token, **request)
        )
        self.assertEqual(200, reply.status)
        console: dict[str, Any] = json.loads(reply.body)["console"]
        return console

    def test_it_shows_where_the_screen_is(self) -> None:
        token = self.issue("rdp", "rdp-html5")
        self.assertEqual(
            {
                "instance_uuid": self.server.uuid,
                "host": "192.0.2.10",
                "port": 5901,
                "internal_access_path": None,
            },
            self.show(token),
        )

    def test_before_2_31_one_console_type_is_accessible(self) -> None:
        for protocol, kind, accessible in (
            ("rdp", "rdp-html5", True),
            ("vnc", "novnc", False),
            ("spice", "spice-html5", False),
        ):
            token = self.issue(protocol, kind)
            for minor in (1, 30, 31, 98, 99, 104):
                with self.subTest(kind, minor=minor):
                    if accessible or minor >= 31:
                        self.show(token, version=(2, minor))
                    else:
                        with self.assertRaises(errors.TokenTypeNotAccessible):
                            self.show(token, version=(2, minor))

    def test_from_2_99_on_the_tls_port_of_one_type_is_shown(self) -> None:
        for protocol, kind in (
            ("spice", "spice-direct"),
            ("spice", "spice-html5"),
        ):
            token = self.issue(protocol, kind)
            for minor in (31, 98, 99, 104):
                with self.subTest(kind, minor=minor):
                    shown = self.show(token, version=(2, minor))
                    self.assertEqual("/p", shown["internal_access_path"])
                    if kind == "spice-direct" and minor >= 99:
                        self.assertEqual(5902, shown["tls_port"])
                    else:
                        self.assertNotIn("tls_port", shown)

    def test_an_unknown_token_is_not_found(self) -> None:
        for token in ("unknown", "\xff\xfe", "\0", "x" * 10_000):
            with (
                self.subTest(token[:30]),
                self.assertRaises(errors.TokenNotFound),
            ):
                self.show(token)

    def test_without_the_role_nobody_learns_whether_it_exists(self) -> None:
        for token in (self.issue("rdp", "rdp-html5"), "unknown"):
            for role in ("reader", "member", "manager", "other"):
                for project in (PROJECT, OTHER_PROJECT, None):
                    with (
                        self.subTest(token, role=role, project=project),
                        self.assertRaisesRegex(
                            errors.Forbidden, policies.SHOW
                        ),
                    ):
                        self.show(token, role, project)

    def test_a_rule_of_projects_is_judged_by_that_of_the_server(self) -> None:
        (self.folder / "policy.yaml").write_text(
            f'"{policies.SHOW}": "rule:project_member_or_admin"\n'
        )
        token = self.issue("rdp", "rdp-html5")
        self.show(token, "member", PROJECT)
        self.show(token, "admin", OTHER_PROJECT)
        with self.assertRaises(errors.TokenNotFound):
            self.show(token, "member", OTHER_PROJECT)
        with self.assertRaises(errors.Forbidden):
            self.show(token, "reader", OTHER_PROJECT)
