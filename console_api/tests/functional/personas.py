# SPDX-License-Identifier: Apache-2.0
"""Requests to each route of the API, made by different personas."""

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from console_api.api import routes
from console_api.db import tables
from console_api.policies import console_sessions
from console_api.tests.functional import base
from console_api.tests.functional.client import Client, Reply

REMOTE = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
ACTION = {"os-getVNCConsole": {"type": "novnc"}}

#: The routes by resource and action, such as ``consoles.index``.
OPERATIONS = {
    f"{route.resource}.{route.action.__name__}": route
    for route in routes.ROUTES
}

#: Roles of callers; the last one has none.
PERSONAS = ("admin", "manager", "member", "reader", "service", "")

_MEMBERS = ([200, 200, 200, 403, 403, 403], [200, *[404] * 5])

#: By operation: the statuses for each persona, in the order above, on a
#: server of its own project, and on one of another project.
EXPECTED = {
    "consoles.index": ([200, 200, 200, 200, 403, 403], [200] * 6),
    "consoles.create": _MEMBERS,
    "consoles.show": _MEMBERS,
    "consoles.delete": ([202, 202, 202, 403, 403, 403], [202, *[404] * 5]),
    "remote_consoles.create": _MEMBERS,
    "remote_consoles.create_view_only": (
        [200, 200, 200, 200, 403, 403],
        [200, *[404] * 5],
    ),
    "remote_consoles.action": _MEMBERS,
    "remote_consoles.delete": (
        [204, 204, 204, 403, 403, 403],
        [204, *[404] * 5],
    ),
    "console_auth_tokens.delete": (
        [204, 204, 204, 404, 404, 404],
        [204, *[404] * 5],
    ),
    "console_auth_tokens.show": ([200, 403, 403, 403, 200, 403],) * 2,
    "consoles.list_all": ([200, 200, 200, 200, 403, 403],) * 2,
    "console_hosts.index": ([200, *[403] * 5],) * 2,
    "console_hosts.show": ([200, *[403] * 5],) * 2,
    "console_hosts.update": ([200, *[403] * 5],) * 2,
    "console_sessions.create": ([201, 403, 403, 403, 201, 403],) * 2,
    "console_sessions.index": ([200, 200, 200, 200, 403, 403],) * 2,
    "console_sessions.show": (
        [200, 200, 200, 200, 403, 403],
        [200, *[404] * 5],
    ),
    "console_sessions.delete": (
        [204, 204, 204, 403, 403, 403],
        [204, *[404] * 5],
    ),
    "console_gateways.update": ([200, 403, 403, 403, 200, 403],) * 2,
    "console_gateways.close": ([204, 403, 403, 403, 204, 403],) * 2,
    "console_locks.index": ([200, *[403] * 5],) * 2,
    "console_locks.update": ([200, *[403] * 5],) * 2,
    "console_locks.delete": ([204, *[403] * 5],) * 2,
}

_BEAT = {
    "gateway": {
        "name": "gateway-1",
        "interval": 60,
        "complete": False,
        "sessions": [],
    }
}

# The bodies that requests need to reach the policy check; a new route with a
# schema has to be added.
_BODIES: Mapping[str, Any] = {
    "/os-console-gateways/{gateway_id}": _BEAT,
    "/os-console-gateways/{gateway_id}/close": {"sessions": []},
    "/os-console-locks/{scope}/{name}": {"lock": {"reason": "test"}},
    "/servers/{server_id}/remote-consoles": REMOTE,
    "/servers/{server_id}/remote-consoles/view-only": REMOTE,
    "/servers/{server_id}/action": ACTION,
    "/os-console-hosts/{console_type}/{host}": {
        "console_host": {"enabled": True}
    },
}

# The first microversion that looks up tokens of the console type of REMOTE.
_VERSIONS = {"/os-console-auth-tokens/{console_token}": "2.31"}


class PersonaTestCase(base.FunctionalTestCase):
    """Tests with one resource of each kind."""

    def make_resources(self) -> None:
        """Create them as the administrator."""
        self.server_id, self.console_id = self.make_console()
        self.token = self.issue_token(self.server_id)
        [row] = self.console_rows(self.server_id)
        self.host, self.console_type = row.host, row.console_type
        self.gateway_id = str(uuid.uuid4())
        self.lock_name = f"user-{uuid.uuid4().hex}"
        self.session_id = str(uuid.uuid4())
        self.perform(self.admin, "console_gateways.update")
        reply = self.perform(self.admin, "console_sessions.create")
        self.session_id = reply.json["session"]["id"]
        self.restore_sessions()

    def perform(
        self, client: Client, operation: str, server_id: str | None = None
    ) -> Reply:
        """Request an operation, on the server of the test by default."""
        path = self.path_of(operation, server_id)
        return self.request(client, operation, path)

    def path_of(self, operation: str, server_id: str | None = None) -> str:
        """Return the path of an operation on the resources of the test."""
        return OPERATIONS[operation].path.format(
            server_id=server_id or self.server_id,
            console_id=self.console_id,
            console_token=self.token,
            console_type=self.console_type,
            host=self.host,
            gateway_id=self.gateway_id,
            session_id=self.session_id,
            scope="user",
            name=self.lock_name,
        )

    def request(self, client: Client, operation: str, path: str) -> Reply:
        """Request an operation on what a path names."""
        route = OPERATIONS[operation]
        return client.request(
            route.method,
            path,
            body=self._body(route),
            version=_VERSIONS.get(route.path, str(route.min_version)),
        )

    def _body(self, route: routes.AnyRoute) -> Any:
        if route.rule != console_sessions.OPEN:
            return _BODIES.get(route.path)
        return {
            "session": {
                "token": self.token,
                "gateway_id": self.gateway_id,
                "gateway": "gateway-1",
                "client_address": "192.0.2.7",
            }
        }

    def restore_sessions(self) -> None:
        """Undo what requests did to the session and the lock of the test."""
        sessions, locks = tables.console_sessions, tables.console_locks
        is_own = sessions.c.id == self.session_id
        self.database.execute(
            sessions.delete().where(
                sessions.c.server_id == self.server_id, ~is_own
            )
        )
        self.database.execute(
            sessions.update()
            .where(is_own)
            .values(closed_at=None, cut_reason=None)
        )
        if not self.database.count(locks, locks.c.name == self.lock_name):
            lock = {
                "scope": "user",
                "name": self.lock_name,
                "reason": "test",
                "created_at": 0,
            }
            self.database.execute(locks.insert(), lock)

    def renew(self) -> None:
        """Create what was deleted again."""
        self.restore_sessions()
        tokens = tables.console_auth_tokens
        token_hash = hashlib.sha256(self.token.encode()).hexdigest()
        if not self.database.count(tokens, tokens.c.token_hash == token_hash):
            self.token = self.issue_token(self.server_id)
        self.admin.post(f"/servers/{self.server_id}/consoles")
        [row] = self.console_rows(self.server_id)
        self.console_id = row.id

    def state(self) -> Any:
        """Return what is stored of the server."""
        return (
            self.console_rows(self.server_id),
            self.count_tokens(self.server_id),
            self.database.rows(
                sa.select(tables.console_sessions).where(
                    tables.console_sessions.c.server_id == self.server_id
                )
            ),
        )

    def check_refusal(self, operation: str, reply: Reply) -> None:
        """Check that a 403 names the rule of the operation."""
        rule = OPERATIONS[operation].rule
        message = f"Policy doesn't allow {rule} to be performed."
        self.assert_fault(reply, 403, message)
