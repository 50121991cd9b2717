# SPDX-License-Identifier: Apache-2.0
"""The measured operations, and their requests."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from benchmarks import nova, nova_cloud, stage
from benchmarks.load import Requests
from console_api.db import tables

#: The programs, in the order of their turns.
PROGRAMS = ("console_api", "bare", "nova")

#: More creations or deletions per second than any program reaches.
MAX_PER_SECOND = 4_000

_OLD_API = "Nova has removed this API"
_NO_COMPUTE = "Nova needs a compute service and a message bus"
_NO_POLICY = "a bare application has no policy"

_MEMBER = {**nova_cloud.ADMIN, "X-Roles": "member,reader"}
_VNC = json.dumps({"remote_console": {"protocol": "vnc", "type": "novnc"}})

State = Literal["tokens", "consoles", "no consoles"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its request, and the rows that it needs.

    ``path`` returns the path for the number of a server or token; ``missing``
    has the reasons why programs cannot be measured.
    """

    title: str
    path: Callable[[int], str]
    state: State
    headers: Mapping[str, str]
    status: int = 200
    method: str = "GET"
    body: str = ""
    #: The table that each request inserts a row into, if any.
    adds_to: str = ""
    missing: Mapping[str, str] | None = None
    #: Whether to measure the console_api that logs each request.
    logged: bool = False

    @property
    def writes(self) -> bool:
        """Whether the rows have to be restored afterwards."""
        return self.method != "GET"

    def requests(self, seconds: int) -> Requests:
        """Return the requests for console_api and the bare application."""
        count = stage.TOKENS
        once = self.writes and self.adds_to != _TOKENS
        if once:
            count = MAX_PER_SECOND * seconds
        return Requests(
            paths=[self.path(number) for number in range(count)],
            headers=self.headers,
            status=self.status,
            method=self.method,
            body=self.body,
            at_end="stop" if once else "again",
        )


_TOKENS = tables.console_auth_tokens.name
_CONSOLES = tables.consoles.name


def _token_path(kind: str) -> Callable[[int], str]:
    def path(number: int) -> str:
        return nova_cloud.path(stage.token(number, kind))

    return path


def _server_path(rest: str) -> Callable[[int], str]:
    def path(number: int) -> str:
        server = stage.server_id(number)
        console = stage.console_id(number)
        return f"/v2.1/servers/{server}/{rest.format(console)}"

    return path


OPERATIONS: Mapping[str, Operation] = {
    "hit": Operation(
        "Look up a token",
        _token_path("valid"),
        "tokens",
        nova_cloud.ADMIN,
    ),
    "hit_logged": Operation(
        "… each one logged",
        _token_path("valid"),
        "tokens",
        nova_cloud.ADMIN,
        logged=True,
    ),
    "miss": Operation(
        "… an unknown one",
        _token_path("unknown"),
        "tokens",
        nova_cloud.ADMIN,
        nova.STATUSES["miss"],
    ),
    "expired": Operation(
        "… an expired one",
        _token_path("expired"),
        "tokens",
        nova_cloud.ADMIN,
        nova.STATUSES["expired"],
    ),
    "forbidden": Operation(
        "… without permission",
        _token_path("valid"),
        "tokens",
        nova_cloud.READER,
        nova.STATUSES["forbidden"],
        missing={"bare": _NO_POLICY},
    ),
    "list": Operation(
        "List a server's consoles",
        _server_path("consoles"),
        "consoles",
        _MEMBER,
        missing={"nova": _OLD_API},
    ),
    "show": Operation(
        "Show a console",
        _server_path("consoles/{}"),
        "consoles",
        _MEMBER,
        missing={"nova": _OLD_API},
    ),
    "create": Operation(
        "Create a console",
        _server_path("consoles"),
        "no consoles",
        _MEMBER,
        method="POST",
        adds_to=_CONSOLES,
        missing={"nova": _OLD_API},
    ),
    "delete": Operation(
        "Delete a console",
        _server_path("consoles/{}"),
        "consoles",
        _MEMBER,
        202,
        method="DELETE",
        missing={"nova": _OLD_API},
    ),
    "create_token": Operation(
        "Create a token",
        _server_path("remote-consoles"),
        "tokens",
        _MEMBER,
        method="POST",
        body=_VNC,
        adds_to=_TOKENS,
        missing={"nova": _NO_COMPUTE},
    ),
}


def nova_requests(cloud: nova_cloud.Cloud) -> dict[str, Requests]:
    """Issue tokens in Nova and return its requests by operation."""
    day = 86_400
    urls, server = cloud.databases, cloud.server_id
    valid = nova_cloud.issue_tokens(urls, server, day, stage.TOKENS)
    tokens = {
        "hit": valid,
        "hit_logged": valid,
        "forbidden": valid,
        "miss": [str(uuid.uuid4()) for _ in range(stage.TOKENS)],
        "expired": nova_cloud.issue_tokens(urls, server, -day, stage.TOKENS),
    }
    return {
        name: Requests(
            paths=[nova_cloud.path(token) for token in tokens[name]],
            headers=OPERATIONS[name].headers,
            status=OPERATIONS[name].status,
        )
        for name in tokens
    }
