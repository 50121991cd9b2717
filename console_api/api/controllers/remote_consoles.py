# SPDX-License-Identifier: Apache-2.0
"""Remote consoles: console auth tokens and their access URLs."""

from console_api import errors, session_reasons, values
from console_api.api import audit
from console_api.api.request import Request
from console_api.api.response import Response, render_json
from console_api.api.schemas.remote_consoles import ACTIONS
from console_api.audit.events import Kind
from console_api.directory.base import Server
from console_api.tokens.manager import RemoteConsole, TokenOptions


def create(request: Request[Server]) -> Response:
    """Create a remote console.

    :raises InvalidInput: the server has no console of this type, or the type
        does not belong to the protocol or is disabled; or the ID of the user
        is too long to be stored
    :raises ServerNotReady: the server has no compute host
    """
    requested = request.body["remote_console"]
    is_exclusive = requested.get("exclusive", False)
    return _create(request, TokenOptions(exclusive=is_exclusive))


def create_view_only(request: Request[Server]) -> Response:
    """Create a remote console that sends nothing to the server.

    :raises: see ``create``
    """
    return _create(request, TokenOptions(view_only=True))


def delete(request: Request[Server]) -> Response:
    """Revoke the tokens of all remote consoles of a server."""
    request.service.tokens.revoke_all(request.target)
    audit.record(
        request,
        Kind.CUT,
        project_id=request.target.project_id,
        server_id=request.target.uuid,
        reason=session_reasons.REVOKED,
    )
    return Response(204)


def action(request: Request[Server]) -> Response:
    """Create a remote console with one of the legacy actions.

    :raises: see ``create``
    """
    [(name, requested)] = request.body.items()
    console = _issue(request, ACTIONS[name], requested["type"])
    return render_json(
        {"console": {"type": console.console_type, "url": console.url}}
    )


def _create(request: Request[Server], options: TokenOptions) -> Response:
    requested = request.body["remote_console"]
    console = _issue(
        request, requested["protocol"], requested["type"], options
    )
    return render_json(
        {
            "remote_console": {
                "protocol": console.protocol,
                "type": console.console_type,
                "url": console.url,
            }
        }
    )


def _issue(
    request: Request[Server],
    protocol: str,
    console_type: str,
    options: TokenOptions | None = None,
) -> RemoteConsole:
    user_id = request.context.user_id
    if len(user_id or "") > values.MAX_NAME_LENGTH:
        raise errors.InvalidInput(
            "The ID of the authenticated user has more than "
            f"{values.MAX_NAME_LENGTH} characters."
        )
    console = request.service.tokens.issue(
        request.target, protocol, console_type, user_id, options
    )
    audit.record(
        request,
        Kind.ISSUE,
        project_id=request.target.project_id,
        server_id=request.target.uuid,
        console_type=console_type,
        view_only=options is not None and options.view_only,
    )
    return console
