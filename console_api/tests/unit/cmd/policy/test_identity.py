# SPDX-License-Identifier: Apache-2.0
import argparse
import io
import json
from unittest import mock

from oslo_context.context import RequestContext

from console_api import errors
from console_api.cmd.commands import UsageError
from console_api.cmd.policy import identity
from console_api.tests.unit import base

DOMAIN = {"id": "default", "name": "Default"}

RESPONSE = {
    "token": {
        "user": {"id": "u", "name": "carol", "domain": DOMAIN},
        "project": {"id": "p", "name": "a", "domain": DOMAIN},
        "roles": [{"id": "1", "name": "member"}, {"id": "2", "name": "Ops"}],
        "is_admin_project": False,
        "methods": ["password"],
    }
}


def unscoped(**scope: object) -> bytes:
    """Return a token of the same user with another scope."""
    token = {k: v for k, v in RESPONSE["token"].items() if k != "project"}
    return json.dumps({"token": {**token, **scope}}).encode()


class OptionsTest(base.FolderCase):
    def parse(self, *arguments: str) -> RequestContext:
        """Return the caller that options describe."""
        parser = argparse.ArgumentParser(exit_on_error=False)
        identity.add_options(parser)
        return identity.from_options(parser.parse_args(arguments))

    def test_roles_are_separated_by_commas(self) -> None:
        found = self.parse("--roles", "member, ,Ops,")
        self.assertEqual(["member", "Ops"], found.roles)
        self.assertEqual([], self.parse().roles)

    def test_project_is_the_scope_unless_there_is_another(self) -> None:
        for arguments, expected in (
            ((), ("project", None, None)),
            (("--project", "p"), ("p", None, None)),
            (("--system-scope",), (None, "all", None)),
            (("--domain-scope",), (None, None, "domain")),
            (("--unscoped",), (None, None, None)),
        ):
            with self.subTest(arguments):
                found = self.parse(*arguments)
                self.assertEqual(
                    expected,
                    (found.project_id, found.system_scope, found.domain_id),
                )

    def test_service_roles_are_those_of_a_service_token(self) -> None:
        found = self.parse("--service-roles", "service")
        self.assertEqual(["service"], found.service_roles)
        self.assertEqual("service", found.service_user_id)

    def test_other_attributes_are_given_by_name(self) -> None:
        found = self.parse(
            *("--user", "u", "--attribute", "user_domain_id=d"),
            *("--attribute", "is_admin_project=False"),
        )
        self.assertEqual(
            ("u", "d", False),
            (found.user_id, found.user_domain_id, found.is_admin_project),
        )

    def test_unknown_attribute_is_refused_with_all_names(self) -> None:
        for value in ("user_domain_id", "typo=x", "roles=x"):
            with (
                self.subTest(value),
                self.assertRaisesRegex(
                    argparse.ArgumentError, "user_domain_id, user_id"
                ),
            ):
                self.parse("--attribute", value)

    def test_token_is_read_from_a_file_or_from_standard_input(self) -> None:
        path = self.folder / "token.json"
        path.write_text(json.dumps(RESPONSE))
        self.assertEqual("u", self.parse("--token", str(path)).user_id)
        stdin = io.TextIOWrapper(io.BytesIO(path.read_bytes()))
        with mock.patch("sys.stdin", stdin):
            self.assertEqual("u", self.parse("--token", "-").user_id)

    def test_service_roles_can_be_added_to_a_token(self) -> None:
        path = self.folder / "token.json"
        path.write_text(json.dumps(RESPONSE))
        found = self.parse("--token", str(path), "--service-roles", "service")
        self.assertEqual(
            ("u", ["service"]), (found.user_id, found.service_roles)
        )

    def test_token_cannot_be_combined_with_other_options(self) -> None:
        for arguments in (
            ("--roles", ""),
            ("--project", "p"),
            ("--unscoped",),
            ("--user", "u"),
            ("--attribute", "user_domain_id=d"),
        ):
            with self.subTest(arguments), self.assertRaises(UsageError):
                self.parse("--token", "x", *arguments)


class TokenTest(base.FolderCase):
    def test_response_of_the_identity_service_is_understood(self) -> None:
        found = identity.make_context(
            identity.from_token(json.dumps(RESPONSE).encode())
        )
        self.assertEqual(
            {
                "user_id": "u",
                "user_domain_id": "default",
                "project_id": "p",
                "project_domain_id": "default",
                "roles": ["member", "Ops"],
                "is_admin_project": False,
            },
            {
                k: v
                for k, v in found.to_policy_values().items()
                if v not in (None, [])
            },
        )

    def test_other_scopes_are_understood(self) -> None:
        for data, expected in (
            (unscoped(), (None, None, None)),
            (unscoped(system={"all": True}), (None, "all", None)),
            (unscoped(domain=DOMAIN), (None, None, "default")),
        ):
            found = identity.make_context(identity.from_token(data))
            self.assertEqual(
                expected,
                (found.project_id, found.system_scope, found.domain_id),
            )

    def test_attributes_are_understood(self) -> None:
        found = identity.make_context(
            identity.from_token(
                b'{"roles": ["reader"], "project_id": "p", "is_admin": true}'
            )
        )
        self.assertEqual(
            ("user", "p", ["reader"]),
            (found.user_id, found.project_id, found.roles),
        )

    def test_anything_else_is_refused(self) -> None:
        for data in (
            b"",
            b"\xff",
            b"[]",
            b"1",
            b"{}",
            b'{"token": {}}',
            b'{"token": {"user": 1}}',
            b'{"role": ["x"]}',
            b'{"roles": "x"}',
            b'{"roles": [1]}',
            b"[" * 100_000,
        ):
            with self.subTest(data), self.assertRaises(errors.InvalidInput):
                identity.from_token(data)
