# SPDX-License-Identifier: Apache-2.0
"""The log has the reason of each refusal, the response does not."""

import configparser
import uuid

from console_api.tests.functional import base, documentation

RULE = "os_compute_api:"
ALL_TENANTS = f"{RULE}servers:get_all_tenants"
TOKENS = f"{RULE}os-console-auth-tokens"

MEMBER = "Failed: role:member in project_member_api"
ADMIN = "role:admin in context_is_admin"
PROJECT = "project_id:%(project_id)s in project_member_api"


def documented_options():
    """Return the options of the guide for the log of refusals."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(documentation.blocks("admin/logging", "ini")[1])
    return {"DEFAULT": parser.defaults()}


@base.on_databases("sqlite")
class ReasonTests(base.FunctionalTestCase):
    options = documented_options()

    def choose_server(self):
        return self.start_server(self.options)

    def setUp(self):
        super().setUp()
        self.server_id = self.make_server()
        self.other = uuid.uuid4().hex
        self.others_server = self.make_server(project_id=self.other)

    def refuse(self, roles, method, path, *, status=403, target=None, because):
        """Assert that a request is refused, and why.

        :param target: the project that is checked, by default the caller's
        :param because: the rule, and parts of the reason
        """
        reply = self.client("carol", roles=roles).request(
            method, path, version="2.31"
        )
        self.assertEqual(status, reply.status, reply.body)
        rule, *parts = because
        line = self.reason(reply)
        self.assertIn(
            f"The policy rule {rule} refused user carol of project "
            f"{self.project} with roles {roles} on project "
            f"{target or self.project}.",
            line,
        )
        for part in parts:
            self.assertIn(part, line)
        for secret in ("role:", "project_id:", self.other):
            self.assertNotIn(secret, reply.body.decode())

    def reason(self, reply):
        """Return the line of the log for the refusal of a request."""

        def lines():
            return [
                line
                for line in self.server.log.splitlines()
                if reply.request_id in line and " refused user " in line
            ]

        self.eventually(lines)
        [line] = lines()
        return line

    def test_own_servers(self):
        path = f"/servers/{self.server_id}/consoles"
        for method, name, url in (
            ("POST", "create", path),
            ("GET", "show", f"{path}/1"),
            ("DELETE", "delete", f"{path}/1"),
        ):
            with self.subTest(name):
                rule = f"{RULE}os-consoles:{name}"
                self.refuse(
                    "reader", method, url, because=(rule, MEMBER, ADMIN)
                )

    def test_servers_of_other_projects(self):
        path = f"/servers/{self.others_server}/consoles"
        self.refuse(
            "member",
            "POST",
            path,
            status=404,
            target=self.other,
            because=(ALL_TENANTS, f"Failed: {ADMIN}."),
        )
        self.allow_other_projects()
        self.refuse(
            "member",
            "GET",
            f"{path}/1",
            status=404,
            target=self.other,
            because=(f"{RULE}os-consoles:show", PROJECT),
        )

    def test_tokens(self):
        token = self.issue_token(self.others_server)
        path = f"/os-console-auth-tokens/{token}"
        self.refuse(
            "member",
            "GET",
            path,
            because=(TOKENS, "role:service in service_api", ADMIN),
        )
        self.write(TOKENS, "project_id:%(project_id)s")
        self.eventually(
            lambda: self.client("x", roles="x").get(path).status == 404
        )
        self.refuse(
            "member",
            "GET",
            path,
            status=404,
            target=self.other,
            because=(TOKENS, f"project_id:%(project_id)s in {TOKENS}"),
        )

    def test_lists(self):
        for path, rule in (
            ("/os-consoles?all_projects=true", ALL_TENANTS),
            ("/os-console-hosts", f"{RULE}os-console-hosts:index"),
        ):
            with self.subTest(path):
                self.refuse("member", "GET", path, because=(rule, ADMIN))
        self.refuse(
            "x",
            "GET",
            "/os-consoles",
            because=(f"{RULE}os-consoles:list", "role:reader", ADMIN),
        )

    def allow_other_projects(self):
        self.write(ALL_TENANTS, "@")
        path = "/os-consoles?all_projects=true"
        self.eventually(lambda: self.member.get(path).status == 200)

    def write(self, rule, check):
        path = self.server.folder / "policy.yaml"
        path.write_text(f'"{rule}": "{check}"\n')
