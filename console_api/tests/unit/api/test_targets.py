# SPDX-License-Identifier: Apache-2.0
from typing import Any

from oslo_context.context import RequestContext

from console_api import errors
from console_api.api import targets
from console_api.policies import console_auth_tokens, console_hosts, consoles
from console_api.policy import decisions
from console_api.tests.unit import base
from console_api.tests.unit.base import (
    OTHER_PROJECT,
    PROJECT,
    SERVER,
    UNKNOWN_SERVER,
)

LOOK_UP = console_auth_tokens.SHOW


class TargetsCase(base.ServiceCase):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.add_server(endpoints={"vnc": {}})

    def authorize(
        self,
        target: targets.Target[Any],
        rule: str,
        role: str,
        project: str | None = PROJECT,
        **path: str,
    ) -> Any:
        caller = RequestContext(
            user_id="a-user", project_id=project, roles=[role]
        )
        return target(self.service, caller, rule, path)


class ServerTest(TargetsCase):
    def test_caller_allowed_by_rule_gets_server(self) -> None:
        for role, project in (("member", PROJECT), ("admin", OTHER_PROJECT)):
            for target in (targets.server, targets.visible_server):
                with self.subTest(role, target=target.__name__):
                    found = self.authorize(
                        target, consoles.SHOW, role, project, server_id=SERVER
                    )
                    self.assertEqual(self.server, found)

    def test_server_id_may_be_in_uppercase(self) -> None:
        for server_id in (SERVER.upper(), SERVER.title()):
            found = self.authorize(
                targets.server, consoles.SHOW, "member", server_id=server_id
            )
            self.assertEqual(self.server, found)

    def test_refusal_in_own_project_names_rule(self) -> None:
        for target in (targets.server, targets.visible_server):
            with (
                self.subTest(target.__name__),
                self.assertRaisesRegex(errors.Forbidden, consoles.SHOW),
            ):
                self.authorize(
                    target, consoles.SHOW, "reader", server_id=SERVER
                )

    def test_server_of_other_project_looks_like_unknown_server(self) -> None:
        for role in ("member", "reader", "service", "other"):
            for server_id, project in (
                (SERVER, OTHER_PROJECT),
                (UNKNOWN_SERVER, PROJECT),
                ("", PROJECT),
                ("\xff", PROJECT),
                ("x" * 9999, PROJECT),
            ):
                with self.subTest(server_id[:40], role=role):
                    request = (consoles.SHOW, role, project)
                    with self.assertRaises(errors.ServerNotFound) as caught:
                        self.authorize(
                            targets.server, *request, server_id=server_id
                        )
                    self.assertEqual(
                        str(errors.ServerNotFound(server_id)),
                        str(caught.exception),
                    )
                    found = self.authorize(
                        targets.visible_server, *request, server_id=server_id
                    )
                    self.assertIsNone(found)

    def test_lax_rule_does_not_reach_server_of_other_project(self) -> None:
        for rule in ("", "@", "role:member"):
            (self.folder / "policy.yaml").write_text(
                f'"{consoles.SHOW}": "{rule}"\n'
            )
            self.service = self.make_service()
            request = (targets.server, consoles.SHOW, "member")
            with self.subTest(rule):
                self.authorize(*request, PROJECT, server_id=SERVER)
                with self.assertRaises(errors.ServerNotFound):
                    self.authorize(*request, OTHER_PROJECT, server_id=SERVER)

    def test_unavailable_rule_reveals_nothing_to_other_projects(self) -> None:
        (self.folder / "policy.yaml").write_text(
            f'"{consoles.SHOW}": "http://127.0.0.1:0/"\n'
        )
        self.service = self.make_service()
        request = (targets.server, consoles.SHOW, "member")
        with (
            self.assertLogs(decisions.LOG, "ERROR"),
            self.assertRaises(errors.PolicyUnavailable),
        ):
            self.authorize(*request, PROJECT, server_id=SERVER)
        with self.assertRaises(errors.ServerNotFound):
            self.authorize(*request, OTHER_PROJECT, server_id=SERVER)


class TokenCase(TargetsCase):
    def setUp(self) -> None:
        super().setUp()
        console = self.service.tokens.issue(
            self.server, "vnc", "xvpvnc", "a-user"
        )
        self.token = console.url.partition("?token=")[2]


class ConsoleAuthTokenTest(TokenCase):
    def look_up(
        self, token: str, role: str = "service", project: str | None = None
    ) -> Any:
        return self.authorize(
            targets.console_auth_token,
            LOOK_UP,
            role,
            project,
            console_token=token,
        )

    def test_service_gets_connection_info(self) -> None:
        for role in ("service", "admin"):
            with self.subTest(role):
                info = self.look_up(self.token, role)
                self.assertEqual(
                    (SERVER, "xvpvnc"), (info.server_id, info.console_type)
                )

    def test_unknown_token_is_not_found(self) -> None:
        for token in ("unknown", "\xff\xfe", "\0", "x" * 10_000):
            with (
                self.subTest(token[:30]),
                self.assertRaises(errors.TokenNotFound),
            ):
                self.look_up(token)

    def test_refused_caller_does_not_learn_whether_token_exists(self) -> None:
        for token in (self.token, "unknown"):
            for role in ("reader", "member", "manager", "other"):
                for project in (PROJECT, OTHER_PROJECT, None):
                    with (
                        self.subTest(token, role=role, project=project),
                        self.assertRaisesRegex(errors.Forbidden, LOOK_UP),
                    ):
                        self.look_up(token, role, project)

    def test_rule_about_project_is_checked_against_server_too(self) -> None:
        (self.folder / "policy.yaml").write_text(
            f'"{LOOK_UP}": "rule:project_member_or_admin"\n'
        )
        self.service = self.make_service()
        self.look_up(self.token, "member", PROJECT)
        self.look_up(self.token, "admin", OTHER_PROJECT)
        with self.assertRaises(errors.TokenNotFound):
            self.look_up(self.token, "member", OTHER_PROJECT)
        with self.assertRaises(errors.Forbidden):
            self.look_up(self.token, "reader", OTHER_PROJECT)


class RevocableTokenTest(TokenCase):
    def revoke(
        self, role: str, project: str = PROJECT, token: str = ""
    ) -> bytes:
        found: bytes = self.authorize(
            targets.revocable_token,
            console_auth_tokens.DELETE,
            role,
            project,
            console_token=token or self.token,
        )
        return found

    def test_member_of_the_project_and_admin_get_the_token(self) -> None:
        for role, project in (
            ("member", PROJECT),
            ("manager", PROJECT),
            ("admin", PROJECT),
            ("admin", OTHER_PROJECT),
        ):
            with self.subTest(role, project=project):
                self.assertEqual(
                    self.token.encode(), self.revoke(role, project)
                )

    def test_every_refusal_is_that_of_an_unknown_token(self) -> None:
        for role, project, token in (
            ("reader", PROJECT, ""),
            ("service", PROJECT, ""),
            ("member", OTHER_PROJECT, ""),
            ("service", OTHER_PROJECT, ""),
            ("member", PROJECT, "unknown"),
            ("member", PROJECT, "\xff\0"),
        ):
            with (
                self.subTest(role, project=project, token=token),
                self.assertRaisesRegex(
                    errors.TokenNotFound, "^Token not found$"
                ),
            ):
                self.revoke(role, project, token)

    def test_lax_rule_does_not_reach_tokens_of_other_projects(self) -> None:
        (self.folder / "policy.yaml").write_text(
            f'"{console_auth_tokens.DELETE}": "@"\n'
        )
        self.service = self.make_service()
        self.revoke("reader")
        self.revoke("admin", OTHER_PROJECT)
        with self.assertRaises(errors.TokenNotFound):
            self.revoke("member", OTHER_PROJECT)


class OwnProjectTest(TargetsCase):
    def test_rule_is_checked_against_project_of_caller(self) -> None:
        for rule, role, allowed in (
            (console_hosts.INDEX, "admin", True),
            (console_hosts.INDEX, "manager", False),
            (console_hosts.INDEX, "service", False),
            (console_hosts.SHOW, "admin", True),
            (console_hosts.SHOW, "manager", False),
            (console_hosts.UPDATE, "admin", True),
            (console_hosts.UPDATE, "manager", False),
            (consoles.INDEX, "reader", True),
        ):
            for project in (PROJECT, OTHER_PROJECT):
                with self.subTest(rule, role=role, project=project):
                    request = (targets.own_project, rule, role, project)
                    if allowed:
                        self.assertIsNone(self.authorize(*request))
                    else:
                        with self.assertRaisesRegex(errors.Forbidden, rule):
                            self.authorize(*request)
