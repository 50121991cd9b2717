# SPDX-License-Identifier: Apache-2.0
"""Remote consoles: console auth tokens and their access URLs."""

from console_api.api.request import Request
from console_api.api.response import Response, render_json
from console_api.api.schemas.remote_consoles import ACTIONS
from console_api.policies import remote_consoles as policies
from console_api.tokens.manager import RemoteConsole


def create(request: Request) -> Response:
    """Create a remote console of a server."""
    wanted = request.body["remote_console"]
    console = _issue(request, wanted["protocol"], wanted["type"])
    return render_json(
        {
            "remote_console": {
                "protocol": console.protocol,
                "type": console.console_type,
                "url": console.url,
            }
        }
    )


def action(request: Request) -> Response:
    """Create a remote console by one of the legacy actions."""
    [(name, wanted)] = request.body.items()
    protocol, _types = ACTIONS[name]
    console = _issue(request, protocol, wanted["type"])
    return render_json(
        {"console": {"type": console.console_type, "url": console.url}}
    )


def _issue(
    request: Request, protocol: str, console_type: str
) -> RemoteConsole:
    server = request.find_server()
    request.authorize(policies.CREATE, server)
    return request.service.tokens.issue(
        server, protocol, console_type, request.context.user_id
    )
