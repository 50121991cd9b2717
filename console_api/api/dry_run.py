# SPDX-License-Identifier: Apache-2.0
"""Decide on operations without performing them.

The steps, their order and the errors are those of a request: the target of the
route enforces its rules, on a server that need not exist.
"""

import contextlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast
from urllib.parse import parse_qsl

from oslo_context.context import RequestContext

from console_api import errors
from console_api.api import application, faults, targets
from console_api.api.routes import ROUTES, AnyRoute, Match, RouteTable
from console_api.api.service import Service
from console_api.directory.base import Server
from console_api.policy import enforcer
from console_api.policy.decisions import Decisions
from console_api.tokens.manager import ConnectionInfo

_TABLE = RouteTable()

# What documented operations and URLs have around the path.
_URL = re.compile(r"https?://[^/]+")
_PREFIX = re.compile(r"/v2(\.1)?(?=/)")
_ACTION = re.compile(r" \((?:(all_projects=true)|[\w-]+)\)$")


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: where its path leads, and the query."""

    route: AnyRoute
    match: Match
    query: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the operation as policies document it."""
        query = "?all_projects=true" if self.lists_all else ""
        return f"{self.route.method} {self.match.template}{query}"

    @property
    def is_list_of_projects(self) -> bool:
        """Whether it lists resources of projects that the caller chooses."""
        return self.route.target is targets.listed_projects

    @property
    def lists_all(self) -> bool:
        """Whether resources of all projects are requested."""
        return self.query.get("all_projects") == "true"


@dataclass(frozen=True, slots=True)
class Asked:
    """A decision on a rule; ``is_allowed`` is None if there was none."""

    rule: str
    project_id: str | None
    is_allowed: bool | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a caller would get.

    ``is_allowed`` says whether the caller reaches the resource of the
    project.  ``status`` and ``message`` are those of the response; a rule
    alone has none.  ``asked`` are the rules that were asked, in order.
    """

    is_allowed: bool
    status: int | None
    message: str
    asked: list[Asked]


def documented() -> list[str]:
    """Return all operations, as ``METHOD PATH``."""
    return [
        f"{route.method} {path}"
        for route in ROUTES
        for path in route.documented_paths
    ]


def operation(text: str) -> Operation | None:
    """Return the operation that a text means, None if there is no such.

    :param text: method and path, with or without variables, ``/v2.1`` and a
        query, such as ``GET /servers/{id}/consoles``
    """
    method, _space, rest = text.strip().partition(" ")
    rest = _ACTION.sub(r"?\1", rest.strip())
    path, _question, query = _URL.sub("", rest).partition("?")
    path = _PREFIX.sub("", path)
    # As WSGI passes it.
    match = _TABLE.match(os.fsencode(path).decode("latin-1"), method.upper())
    if match is None or match.route is None:
        return None
    return Operation(match.route, match, dict(parse_qsl(query)))


def of_rule(rule: str, *, is_own: bool = True) -> list[Operation]:
    """Return the operations of a rule, none if it is not one of a route.

    :param is_own: whether lists are those of the caller's own project
    """
    found = []
    for route in ROUTES:
        match = _TABLE.match(route.path, route.method)
        if route.rule == rule and match is not None:
            listed = Operation(route, match, {"all_projects": "true"})
            found.append(
                listed
                if listed.is_list_of_projects and not is_own
                else Operation(route, match)
            )
    return found


def perform(
    decisions: Decisions,
    caller: RequestContext,
    operation: Operation,
    project_id: str,
) -> Outcome:
    """Decide on an operation of a caller on a resource of a project.

    A rule that asks other servers asks them, as for a request.
    """
    route, variables = operation.route, operation.match.variables
    recorder = _Recorder(decisions)
    try:
        application.check_project(operation.match, caller.project_id)
        enforcer.check_scope(caller)
        target = route.target(
            _service(recorder, variables, project_id),
            caller,
            route.rule,
            variables,
        )
        is_allowed = _reaches(operation, target, project_id)
    except errors.ConsoleAPIError as error:
        response = faults.from_error(error)
        [fault] = json.loads(response.body).values()
        return Outcome(
            False, response.status, fault["message"], recorder.asked
        )
    return Outcome(is_allowed, route.success, "", recorder.asked)


def evaluate(
    decisions: Decisions, caller: RequestContext, rule: str, project_id: str
) -> Outcome:
    """Decide on a rule alone, such as a base rule."""
    recorder = _Recorder(decisions)
    is_allowed = False
    with contextlib.suppress(errors.PolicyUnavailable):
        is_allowed = recorder.allows(caller, rule, project_id)
    return Outcome(is_allowed, None, "", recorder.asked)


class _Recorder:
    """Decides in the place of the enforcer, and records the decisions."""

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions
        self.asked: list[Asked] = []

    def allows(
        self, context: RequestContext, rule: str, project_id: str | None
    ) -> bool:
        is_allowed = None
        try:
            is_allowed = self._decisions.allows(context, rule, project_id)
            return is_allowed
        finally:
            self.asked.append(Asked(rule, project_id, is_allowed))


def _service(
    recorder: _Recorder, variables: Mapping[str, str], project_id: str
) -> Service:
    """Return what targets use of the service, where all resources exist."""
    server = Server(
        variables.get("server_id", ""), project_id, "", "", compute_host=None
    )
    info = ConnectionInfo(server.uuid, project_id, "", "", 0, None, None)
    return cast(
        "Service",
        SimpleNamespace(
            enforcer=recorder,
            directory=SimpleNamespace(get=lambda _id: server),
            session_listing=SimpleNamespace(get=lambda _id: server),
            tokens=SimpleNamespace(
                check=lambda _token: info, find=lambda _token: info
            ),
        ),
    )


def _reaches(operation: Operation, target: object, project_id: str) -> bool:
    """Return whether a request that is not refused reaches a project."""
    if operation.route.target is targets.visible_server:
        return target is not None
    if not isinstance(target, targets.ListedProjects):
        return True
    if not operation.lists_all:
        return project_id == target.own
    target.check_all()
    return target.includes(project_id)
