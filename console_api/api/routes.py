# SPDX-License-Identifier: Apache-2.0
"""The one table of the API: path, method, action."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

from microversion_parse import Version
from routes import Mapper

from console_api.api.controllers import (
    console_auth_tokens,
    console_hosts,
    consoles,
    remote_consoles,
)
from console_api.api.microversion import MAX_VERSION, MIN_VERSION
from console_api.api.request import Request
from console_api.api.response import Response
from console_api.api.schemas import Schema
from console_api.api.schemas import console_auth_tokens as token_schemas
from console_api.api.schemas import consoles as console_schemas
from console_api.api.schemas import remote_consoles as remote_schemas


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: where it is, what it takes, and what it does.

    ``body`` and ``query`` are left out where anything goes.  The rest is for
    the filter in another API's pipeline: ``actions`` are the only keys of a
    body that make it a request to us rather than to that API, and ``shared``
    says that it has such things of its own, so that it is asked for those
    that we do not have.
    """

    path: str
    method: str
    action: Callable[[Request], Response]
    min_version: Version = MIN_VERSION
    max_version: Version = MAX_VERSION
    body: Schema | None = None
    query: Schema | None = None
    actions: Sequence[str] = ()
    shared: bool = False

    @property
    def resource(self) -> str:
        """The name that the resource has in every layer."""
        return self.action.__module__.rpartition(".")[2]


# In the order in which they are tried: the one asked for most comes first.
ROUTES = (
    Route(
        "/os-console-auth-tokens/{console_token}",
        "GET",
        console_auth_tokens.show,
        query=token_schemas.SHOW_QUERY,
        shared=True,
    ),
    Route(
        "/servers/{server_id}/consoles",
        "GET",
        consoles.index,
        query=console_schemas.LIST_QUERY,
    ),
    Route("/servers/{server_id}/consoles", "POST", consoles.create),
    Route("/servers/{server_id}/consoles/{console_id}", "GET", consoles.show),
    Route(
        "/servers/{server_id}/consoles/{console_id}", "DELETE", consoles.delete
    ),
    Route(
        "/servers/{server_id}/remote-consoles",
        "POST",
        remote_consoles.create,
        min_version=Version(2, 6),
        body=remote_schemas.CREATE_BODY,
    ),
    Route(
        "/servers/{server_id}/action",
        "POST",
        remote_consoles.action,
        max_version=Version(2, 5),
        body=remote_schemas.ACTION_BODY,
        actions=tuple(remote_schemas.ACTIONS),
    ),
    Route("/os-console-hosts", "GET", console_hosts.index),
)

#: The names of all resources.
RESOURCES = frozenset(route.resource for route in ROUTES)

#: Path variables that must not be logged.
SECRETS = frozenset({"console_token"})

# Greedy, and so whole: a final newline is part of the segment it is in.
_SEGMENT = "[^/]+"
_PROJECT_SEGMENT = "/{project_id:[0-9a-f-]+}"


@dataclass(frozen=True, slots=True)
class Match:
    """Where a path leads: its operations by method, and its variables."""

    template: str
    operations: Mapping[str, Route]
    variables: Mapping[str, str]

    @property
    def allowed(self) -> str:
        """The methods that the path takes, for an Allow header."""
        methods = set(self.operations)
        if "GET" in methods:
            methods.add("HEAD")
        return ", ".join(sorted(methods))


class RouteTable:
    """The routes, compiled; with and without a project in the path."""

    def __init__(self, resources: Container[str] = RESOURCES) -> None:
        """Compile the part of the table that is about these resources."""
        self._mapper = Mapper(explicit=True)
        self._mapper.minimization = False
        self._operations: dict[str, dict[str, Route]] = {}
        for route in ROUTES:
            if route.resource not in resources:
                continue
            self._operations.setdefault(route.path, {})[route.method] = route
        for path in self._operations:
            pattern = path.replace("}", f":{_SEGMENT}}}")
            self._mapper.connect(None, pattern, template=path)
            self._mapper.connect(
                None, f"{_PROJECT_SEGMENT}{pattern}", template=path
            )
        self._mapper.create_regs()

    def match(self, path: str) -> Match | None:
        """Find the operations of a path, None if there are none."""
        variables = self._mapper.match(path)
        if variables is None:
            return None
        template = variables.pop("template")
        if path[-1] == "\n" and template[-1] != "}":
            # A final newline is no part of what Routes matches.
            return None
        return Match(template, self._operations[template], variables)
