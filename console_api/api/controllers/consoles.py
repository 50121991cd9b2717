# SPDX-License-Identifier: Apache-2.0
"""The consoles of a server."""

import re

from console_api import errors
from console_api.api.request import Request
from console_api.api.response import Response, render_json
from console_api.policies import consoles as policies

# As many digits as every database's integers have room for.
_CONSOLE_ID = re.compile(r"[0-9]{1,18}")


def index(request: Request) -> Response:
    """List the consoles of a server, in the order of their ids.

    A server that is not there, or not for the caller, has none.
    """
    try:
        server = request.find_server()
        request.authorize(policies.INDEX, server)
    except errors.ServerNotFound:
        return render_json({"consoles": []})
    most = request.service.max_limit
    found = request.service.consoles.list(
        server,
        marker=int(request.query.get("marker", 0)),
        limit=min(int(request.query.get("limit", most)), most),
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


def create(request: Request) -> Response:
    """Make sure that a server has a console; the body is not looked at."""
    server = request.find_server()
    request.authorize(policies.CREATE, server)
    request.service.consoles.create(server)
    return Response(200)


def show(request: Request) -> Response:
    """Show a console with its password."""
    server = request.find_server()
    request.authorize(policies.SHOW, server)
    console = request.service.consoles.show(server, _console_id(request))
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


def delete(request: Request) -> Response:
    """Delete a console."""
    server = request.find_server()
    request.authorize(policies.DELETE, server)
    request.service.consoles.delete(server, _console_id(request))
    return Response(202)


def _console_id(request: Request) -> int:
    text = request.path["console_id"]
    if not _CONSOLE_ID.fullmatch(text):
        raise errors.ConsoleNotFound(text)
    return int(text)
