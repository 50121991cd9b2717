# SPDX-License-Identifier: Apache-2.0
"""Consoles of servers."""

import re

from console_api import errors
from console_api.api.paging import limit_of, render_page
from console_api.api.request import Request
from console_api.api.response import Response, render_json, render_time
from console_api.api.targets import ListedProjects
from console_api.db.console_listing import ConsoleFilters, ListedConsole
from console_api.directory.base import Server
from console_api.values import ConsoleState

# As many digits as the integers of every supported database can hold.
_CONSOLE_ID = re.compile(r"[0-9]{1,18}")


def index(request: Request[Server | None]) -> Response:
    """List the consoles of a server by ID; none if it is not found."""
    if request.target is None:
        return render_json({"consoles": []})
    found = request.service.consoles.list(
        request.target,
        marker=int(request.query.get("marker", 0)),
        limit=limit_of(request),
    )
    return render_json(
        {
            "consoles": [
                {
                    "console": {
                        "id": console.id,
                        "console_type": console.console_type,
                    }
                }
                for console in found
            ]
        }
    )


def list_all(request: Request[ListedProjects]) -> Response:
    """List consoles of the caller's project, or of all projects.

    A page has fewer consoles than there are if the policy refuses some: only
    the absence of a link to the next page marks the last one.

    :raises Forbidden: the caller may not list consoles of all projects
    """
    query, projects = request.query, request.target
    if query.get("all_projects") == "true":
        projects.check_all()
        project_id = None
    else:
        project_id = projects.own
    page = request.service.console_listing.page(
        ConsoleFilters(
            project_id=project_id,
            server_id=query.get("server_id", "").lower() or None,
            console_host=query.get("console_host"),
            console_type=query.get("console_type"),
            state=query.get("state"),
        ),
        marker=int(query.get("marker", 0)),
        limit=limit_of(request),
    )
    shown = [
        _render(console, projects)
        for console in page.consoles
        if projects.includes(console.project_id)
    ]
    return render_page(request, "consoles", shown, page.next_marker)


def _render(
    console: ListedConsole, projects: ListedProjects
) -> dict[str, object]:
    document: dict[str, object] = {
        "id": console.id,
        "server_id": console.server_id,
        "project_id": console.project_id,
        "console_type": console.console_type,
        "instance_name": console.instance_name,
        "console_host": console.console_host,
        "host": console.host,
        "port": console.port,
        "state": console.state,
        "created_at": render_time(console.created_at),
        "expires_at": console.expires_at and render_time(console.expires_at),
    }
    if console.state == ConsoleState.FAILED and projects.is_all_tenants(
        console.project_id
    ):
        # It names ports and programs of the operator's machines.
        document["reason"] = console.problem
    return document


def create(request: Request[Server]) -> Response:
    """Create the console of a server unless it exists; ignore the body.

    :raises NoConsoleHost: no console host can accept the console
    """
    request.service.consoles.create(request.target)
    return Response(200)


def show(request: Request[Server]) -> Response:
    """Show a console with its password.

    :raises ConsoleNotFound: the server has no such console
    """
    console = request.service.consoles.show(
        request.target, _console_id(request)
    )
    return render_json(
        {
            "console": {
                "id": console.id,
                "console_type": console.console_type,
                "password": console.password,
                "instance_name": console.instance_name,
                "port": console.port,
                "host": console.host,
            }
        }
    )


def delete(request: Request[Server]) -> Response:
    """Delete a console.

    :raises ConsoleNotFound: the server has no such console
    """
    request.service.consoles.delete(request.target, _console_id(request))
    return Response(202)


def _console_id(request: Request[Server]) -> int:
    text = request.path["console_id"]
    if not _CONSOLE_ID.fullmatch(text):
        raise errors.ConsoleNotFound(text)
    return int(text)
