# SPDX-License-Identifier: Apache-2.0
"""The route table: path, method, action, policy rule and its target."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from microversion_parse import Version
from routes import Mapper

from console_api.api import targets
from console_api.api.controllers import (
    console_auth_tokens,
    console_gateways,
    console_hosts,
    console_locks,
    console_sessions,
    consoles,
    remote_consoles,
)
from console_api.api.microversion import MAX_VERSION, MIN_VERSION
from console_api.api.request import Request
from console_api.api.response import Response
from console_api.api.schemas import Schema
from console_api.api.schemas import console_auth_tokens as token_schemas
from console_api.api.schemas import console_gateways as gateway_schemas
from console_api.api.schemas import console_hosts as host_schemas
from console_api.api.schemas import console_locks as lock_schemas
from console_api.api.schemas import console_sessions as session_schemas
from console_api.api.schemas import consoles as console_schemas
from console_api.api.schemas import remote_consoles as remote_schemas
from console_api.api.targets import Target
from console_api.policies import console_auth_tokens as token_policies
from console_api.policies import console_gateways as gateway_policies
from console_api.policies import console_hosts as host_policies
from console_api.policies import console_locks as lock_policies
from console_api.policies import console_sessions as session_policies
from console_api.policies import consoles as console_policies
from console_api.policies import remote_consoles as remote_policies

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Route(Generic[T]):
    """One operation: its path and method, policy rule, and action.

    ``rule`` is the policy rule, enforced on the ``target`` that the action
    is then given.  ``success`` is the status of a response that is no fault,
    for tools.  Outside its microversions, clients use the ``alternative``.
    Without ``body`` and ``query`` any are accepted.  Requests to ``reserved``
    operations wait in slots of their own, see ``Service``.  The rest is for
    the filter in front of another API: only a body with one of the keys
    ``actions`` is a request to us, and an operation is ``shared`` if the other
    API has such resources too, and serves those that we do not have.
    """

    path: str
    method: str
    action: Callable[[Request[T]], Response]
    rule: str
    target: Target[T]
    success: int = 200
    min_version: Version = MIN_VERSION
    max_version: Version = MAX_VERSION
    alternative: str = ""
    body: Schema | None = None
    query: Schema | None = None
    reserved: bool = False
    actions: Sequence[str] = ()
    shared: bool = False

    @property
    def resource(self) -> str:
        """The name that the resource has in every layer."""
        return self.action.__module__.rpartition(".")[2]

    @property
    def documented_paths(self) -> Sequence[str]:
        """The path as policies document it: once for each action, if any."""
        if not self.actions:
            return (self.path,)
        return [f"{self.path} ({action})" for action in self.actions]


AnyRoute: TypeAlias = Route[Any]

# In the order in which they are tried: the most frequent comes first.
ROUTES: Sequence[AnyRoute] = (
    Route(
        "/os-console-auth-tokens/{console_token}",
        "GET",
        console_auth_tokens.show,
        rule=token_policies.SHOW,
        target=targets.console_auth_token,
        query=token_schemas.SHOW_QUERY,
        reserved=True,
        shared=True,
    ),
    Route(
        "/os-console-auth-tokens/{console_token}",
        "DELETE",
        console_auth_tokens.delete,
        rule=token_policies.DELETE,
        target=targets.revocable_token,
        success=204,
    ),
    Route(
        "/servers/{server_id}/consoles",
        "GET",
        consoles.index,
        rule=console_policies.INDEX,
        target=targets.visible_server,
        query=console_schemas.LIST_QUERY,
    ),
    Route(
        "/servers/{server_id}/consoles",
        "POST",
        consoles.create,
        rule=console_policies.CREATE,
        target=targets.server,
    ),
    Route(
        "/servers/{server_id}/consoles/{console_id}",
        "GET",
        consoles.show,
        rule=console_policies.SHOW,
        target=targets.server,
    ),
    Route(
        "/servers/{server_id}/consoles/{console_id}",
        "DELETE",
        consoles.delete,
        rule=console_policies.DELETE,
        target=targets.server,
        success=202,
    ),
    Route(
        "/servers/{server_id}/remote-consoles",
        "POST",
        remote_consoles.create,
        rule=remote_policies.CREATE,
        target=targets.server,
        min_version=Version(2, 6),
        alternative="POST /servers/{server_id}/action",
        body=remote_schemas.CREATE_BODY,
    ),
    Route(
        "/servers/{server_id}/remote-consoles/view-only",
        "POST",
        remote_consoles.create_view_only,
        rule=remote_policies.VIEW_ONLY,
        target=targets.server,
        min_version=Version(2, 6),
        body=remote_schemas.VIEW_ONLY_BODY,
    ),
    Route(
        "/servers/{server_id}/remote-consoles",
        "DELETE",
        remote_consoles.delete,
        rule=remote_policies.DELETE,
        target=targets.server,
        success=204,
    ),
    Route(
        "/servers/{server_id}/action",
        "POST",
        remote_consoles.action,
        rule=remote_policies.CREATE,
        target=targets.server,
        max_version=Version(2, 5),
        alternative="POST /servers/{server_id}/remote-consoles",
        body=remote_schemas.ACTION_BODY,
        actions=tuple(remote_schemas.ACTIONS),
    ),
    Route(
        "/os-consoles",
        "GET",
        consoles.list_all,
        rule=console_policies.LIST,
        target=targets.listed_projects,
        query=console_schemas.LIST_ALL_QUERY,
    ),
    Route(
        "/os-console-hosts",
        "GET",
        console_hosts.index,
        rule=host_policies.INDEX,
        target=targets.own_project,
    ),
    Route(
        "/os-console-hosts/{console_type}/{host}",
        "GET",
        console_hosts.show,
        rule=host_policies.SHOW,
        target=targets.own_project,
    ),
    Route(
        "/os-console-hosts/{console_type}/{host}",
        "PUT",
        console_hosts.update,
        rule=host_policies.UPDATE,
        target=targets.own_project,
        body=host_schemas.UPDATE_BODY,
    ),
    Route(
        "/os-console-sessions",
        "POST",
        console_sessions.create,
        rule=session_policies.OPEN,
        target=targets.own_project,
        success=201,
        body=session_schemas.OPEN_BODY,
        reserved=True,
    ),
    Route(
        "/os-console-sessions",
        "GET",
        console_sessions.index,
        rule=session_policies.INDEX,
        target=targets.listed_projects,
        query=session_schemas.LIST_QUERY,
    ),
    Route(
        "/os-console-sessions/{session_id}",
        "GET",
        console_sessions.show,
        rule=session_policies.SHOW,
        target=targets.session,
    ),
    Route(
        "/os-console-sessions/{session_id}",
        "DELETE",
        console_sessions.delete,
        rule=session_policies.DELETE,
        target=targets.session,
        success=204,
    ),
    Route(
        "/os-console-locks",
        "GET",
        console_locks.index,
        rule=lock_policies.INDEX,
        target=targets.own_project,
    ),
    Route(
        "/os-console-locks/{scope}/{name}",
        "PUT",
        console_locks.update,
        rule=lock_policies.UPDATE,
        target=targets.own_project,
        body=lock_schemas.UPDATE_BODY,
    ),
    Route(
        "/os-console-locks/{scope}/{name}",
        "DELETE",
        console_locks.delete,
        rule=lock_policies.DELETE,
        target=targets.own_project,
        success=204,
    ),
    Route(
        "/os-console-gateways/{gateway_id}",
        "PUT",
        console_gateways.update,
        rule=gateway_policies.UPDATE,
        target=targets.own_project,
        body=gateway_schemas.UPDATE_BODY,
        reserved=True,
    ),
    Route(
        "/os-console-gateways/{gateway_id}/close",
        "POST",
        console_gateways.close,
        rule=gateway_policies.CLOSE,
        target=targets.own_project,
        success=204,
        body=gateway_schemas.CLOSE_BODY,
        reserved=True,
    ),
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
    """Where a request leads: its route, None if the method is not allowed.

    ``template`` is the path as the table has it, ``operations`` holds all
    routes of that path by method, ``variables`` the variables of the path.
    """

    route: AnyRoute | None
    template: str
    operations: Mapping[str, AnyRoute]
    variables: Mapping[str, str]

    @property
    def allowed(self) -> str:
        """The methods that the path allows, for an Allow header."""
        methods = set(self.operations)
        if "GET" in methods:
            methods.add("HEAD")
        return ", ".join(sorted(methods))


class RouteTable:
    """The compiled routes, with and without a project in the path."""

    def __init__(self, resources: Container[str] = RESOURCES) -> None:
        """Compile the routes of these resources."""
        self._mapper = Mapper(explicit=True)
        self._mapper.minimization = False
        self._operations: dict[str, dict[str, AnyRoute]] = {}
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

    def match(self, path: str, method: str) -> Match | None:
        """Return where a request leads, None if the path is unknown.

        HEAD leads to the route of GET.
        """
        variables = self._mapper.match(path)
        if variables is None:
            return None
        template = variables.pop("template")
        if path[-1] == "\n" and template[-1] != "}":
            # Routes ignores a final newline after a literal segment.
            return None
        operations = self._operations[template]
        route = operations.get("GET" if method == "HEAD" else method)
        return Match(route, template, operations, variables)
