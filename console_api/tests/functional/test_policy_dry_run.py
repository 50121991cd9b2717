# SPDX-License-Identifier: Apache-2.0
"""Explanations of decisions against real requests.

What ``console-api-policy explain`` says must be what the API does, for each
kind of caller, operation and project, whatever the policy file.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from oslo_context.context import RequestContext

from console_api.api import dry_run
from console_api.cmd.policy import identity as identities
from console_api.db import tables
from console_api.policy import sources
from console_api.policy.decisions import Decisions
from console_api.tests.functional import identity, policy_files
from console_api.tests.functional.client import Client, Reply
from console_api.tests.functional.personas import OPERATIONS, PersonaTestCase

SYSTEM = {"system": {"all": True}}
DOMAIN = {"domain": identity.DOMAIN}

#: The roles of callers, and the scope if it is not a project.
CALLERS = (
    ([], None),
    (["reader"], None),
    (["member"], None),
    (["manager"], None),
    (["admin"], None),
    (["service"], None),
    (["Operator", "reader"], None),
    (["support"], None),
    (["auditor", "oncall"], None),
    (["admin"], SYSTEM),
    (["admin"], DOMAIN),
    (["admin"], {}),
)


# Operations that revoke the token, and those that list several projects.
REVOCATIONS = (
    "console_auth_tokens.delete",
    "console_sessions.delete",
    "remote_consoles.delete",
)
LISTS = ("consoles.list_all", "console_sessions.index")


@dataclass(frozen=True)
class Caller:
    """A caller of the API, as a client and as what tools make of a token."""

    name: str
    client: Client
    context: RequestContext


class DryRunTests(PersonaTestCase):
    backend = "sqlite"

    def choose_server(self):
        self.identity = identity.IdentityService()
        self.addCleanup(self.identity.stop)
        return self.start_server(identity.options(self.identity.url))

    def setUp(self):
        super().setUp()
        self.admin = self.make_caller("admin", self.project, ["admin"]).client
        self.make_resources()
        tokens = tables.console_auth_tokens
        [token] = self.database.rows(
            sa.select(tokens).where(tokens.c.server_id == self.server_id)
        )
        self.token_row = token._asdict()
        self.policy = self.server.folder / "policy.yaml"

    def make_caller(self, name, project, roles, scope=None, service=None):
        """Return a caller.

        :param scope: of the token; ``{}`` for an unscoped one
        :param service: the roles of a service that acts for the caller
        """
        token = self.identity.issue(
            "carol",
            None if scope is not None else project,
            *roles,
            scope=scope or None,
        )
        headers = {"X-Auth-Token": token}
        document = self.identity.find(token)
        caller = dict(identities.from_token(json.dumps(document).encode()))
        if service is not None:
            token = self.identity.issue("nova", "services", *service)
            headers["X-Service-Token"] = token
            caller |= {
                "service_user_id": "nova",
                "service_project_id": "services",
                "service_roles": service,
            }
        return Caller(
            name,
            self.client(None, headers=headers),
            identities.make_context(caller),
        )

    def callers(self) -> Iterator[Caller]:
        """Yield callers of the server's project, and of another one."""
        for project in (self.project, uuid.uuid4().hex):
            where = "own" if project == self.project else "other"
            for roles, scope in CALLERS:
                name = f"{where}: {roles} {scope}"
                yield self.make_caller(name, project, roles, scope)
            yield self.make_caller(
                f"{where}: member by a service",
                project,
                ["member"],
                service=["service"],
            )

    def use(self, text: str) -> None:
        """Replace the policy file, and wait until it takes effect."""
        reloads = self.server.log.count("Reloaded the policy files.")
        draft = self.server.folder / "draft.yaml"
        draft.write_text(text)
        draft.rename(self.policy)
        self.eventually(lambda: self.count_reloads() > reloads)

    def count_reloads(self) -> int:
        # A request examines the files.
        self.admin.get("/os-consoles")
        return self.server.log.count("Reloaded the policy files.")

    def requests(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the path of each operation."""
        for name in OPERATIONS:
            path = self.path_of(name)
            if name == "consoles.delete":
                # Does not exist, so that the other one still does afterwards.
                path = path.removesuffix(str(self.console_id)) + "0"
            yield name, path
            if name in LISTS:
                yield name, f"{path}?all_projects=true"

    def check(
        self, decisions: Decisions, caller: Caller, name: str, path: str
    ) -> None:
        """Check that an explanation is what the API does."""
        reply = self.request(caller.client, name, path)
        if name in REVOCATIONS and reply.status == 204:
            self.database.execute(
                tables.console_auth_tokens.insert(), self.token_row
            )
        if reply.status in (201, 204):
            self.restore_sessions()
        operation = dry_run.operation(f"{OPERATIONS[name].method} {path}")
        outcome = dry_run.perform(
            decisions, caller.context, operation, self.project
        )
        self.assertEqual(
            outcome.is_allowed, self.is_reached(name, reply), reply.body
        )
        if outcome.message:
            self.assert_fault(reply, outcome.status, outcome.message)
        elif name != "consoles.delete":
            self.assertEqual(outcome.status, reply.status)

    def is_reached(self, name: str, reply: Reply) -> bool:
        """Return whether a reply is about the resources of the test."""
        if name == "consoles.delete":
            return reply.status == 404 and reply.message.startswith("Console")
        if reply.status >= 400:
            return False
        if name == "consoles.index":
            return reply.json["consoles"] != []
        if name == "consoles.list_all":
            found = reply.json["consoles"]
            return self.server_id in [each["server_id"] for each in found]
        if name == "console_sessions.index":
            found = reply.json["sessions"]
            return self.session_id in [each["id"] for each in found]
        return True

    def test_explanations_are_what_the_api_does(self):
        for file, text in policy_files.SOUND.items():
            self.use(text)
            decisions = sources.load(str(self.policy)).decisions()
            for caller in self.callers():
                for name, path in self.requests():
                    with self.subTest(file, caller=caller.name, path=path):
                        self.check(decisions, caller, name, path)
