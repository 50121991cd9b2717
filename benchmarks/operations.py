# SPDX-License-Identifier: Apache-2.0
"""What is measured: the operations, and the requests that make them."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from benchmarks import nova, stage
from benchmarks.load import Requests
from console_api.db import tables

#: The programs, in the order in which they take turns.
PROGRAMS = ("console_api", "bare", "nova")

#: More creations or deletions a second than any program reaches.
MOST_A_SECOND = 4_000

_OLD_API = "Nova has removed this API"
_NO_COMPUTE = "Nova asks a compute service over a message bus"
_NO_POLICY = "a bare application has no policy"

_MEMBER = {**nova.ADMIN, "X-Roles": "member,reader"}
_VNC = json.dumps({"remote_console": {"protocol": "vnc", "type": "novnc"}})

State = Literal["tokens", "consoles", "no consoles"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its request, and the rows that it needs.

    ``path`` makes a path from the number of a server or token; ``missing``
    says of a program why it cannot be measured.
    """

    title: str
    path: Callable[[int], str]
    state: State
    headers: Mapping[str, str]
    status: int = 200
    method: str = "GET"
    body: str = ""
    #: The table that each request adds a row to, if it does.
    adds_to: str = ""
    missing: Mapping[str, str] | None = None
    #: Whether console_api is the one that logs each request, as Nova does.
    logged: bool = False

    @property
    def writes(self) -> bool:
        """Whether the rows have to be put back afterwards."""
        return self.method != "GET"

    def requests(self, seconds: int) -> Requests:
        """Return what to send to console_api and the bare application."""
        count = stage.TOKENS
        once = self.writes and self.adds_to != _TOKENS
        if once:
            count = MOST_A_SECOND * seconds
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
        return nova.path(stage.token(number, kind))

    return path


def _server_path(rest: str) -> Callable[[int], str]:
    def path(number: int) -> str:
        server = stage.server_id(number)
        console = stage.console_id(number)
        return f"/v2.1/servers/{server}/{rest.format(console)}"

    return path


OPERATIONS: Mapping[str, Operation] = {
    "hit": Operation(
        "Look a token up",
        _token_path("valid"),
        "tokens",
        nova.ADMIN,
    ),
    "hit_logged": Operation(
        "… each one logged",
        _token_path("valid"),
        "tokens",
        nova.ADMIN,
        logged=True,
    ),
    "miss": Operation(
        "… an unknown one",
        _token_path("unknown"),
        "tokens",
        nova.ADMIN,
        nova.STATUSES["miss"],
    ),
    "expired": Operation(
        "… an expired one",
        _token_path("expired"),
        "tokens",
        nova.ADMIN,
        nova.STATUSES["expired"],
    ),
    "forbidden": Operation(
        "… without permission",
        _token_path("valid"),
        "tokens",
        nova.READER,
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


def nova_requests(cloud: nova.Cloud) -> dict[str, Requests]:
    """Return what to send to Nova, by operation; issues the tokens."""
    day = 86_400
    urls, server = cloud.databases, cloud.server_id
    valid = nova.issue_tokens(urls, server, day, stage.TOKENS)
    tokens = {
        "hit": valid,
        "hit_logged": valid,
        "forbidden": valid,
        "miss": [str(uuid.uuid4()) for _ in range(stage.TOKENS)],
        "expired": nova.issue_tokens(urls, server, -day, stage.TOKENS),
    }
    return {
        name: Requests(
            paths=[nova.path(token) for token in tokens[name]],
            headers=OPERATIONS[name].headers,
            status=OPERATIONS[name].status,
        )
        for name in tokens
    }
