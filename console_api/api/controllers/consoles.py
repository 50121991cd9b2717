# SPDX-License-Identifier: Apache-2.0
"""Consoles of servers."""

import re

from console_api import errors
from console_api.api.request import Request
from console_api.api.response import Response, render_json
from console_api.directory.base import Server

# As many digits as the integers of every supported database can hold.
_CONSOLE_ID = re.compile(r"[0-9]{1,18}")


def index(request: Request[Server | None]) -> Response:
    """List the consoles of a server by ID; none if it is not found."""
    if request.target is None:
        return render_json({"consoles": []})
    max_limit = request.service.max_limit
    found = request.service.consoles.list(
        request.target,
        marker=int(request.query.get("marker", 0)),
        limit=min(int(request.query.get("limit", max_limit)), max_limit),
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
