# SPDX-License-Identifier: Apache-2.0
"""Sessions through gateways."""

from typing import Any

from console_api import errors, session_reasons
from console_api.api import audit
from console_api.api.paging import limit_of, render_page
from console_api.api.request import Request
from console_api.api.response import Response, render_json, render_time
from console_api.api.targets import ListedProjects
from console_api.audit.events import Kind
from console_api.sessions.grants import Grant, Viewer
from console_api.sessions.listing import ListedSession, SessionFilters
from console_api.values import SessionState


def create(request: Request[None]) -> Response:
    """Open a session with a token, or resume one with its secret.

    :raises InvalidInput: not exactly one of both is given
    :raises SessionRefused: the session must not be opened
    """
    requested = request.body["session"]
    token, secret = requested.get("token"), requested.get("secret")
    if (token is None) is (secret is None):
        raise errors.InvalidInput(
            "Invalid input: a session requires either a token or a secret."
        )
    viewer = Viewer(
        requested["gateway_id"],
        requested["gateway"],
        requested["client_address"],
        requested.get("proxy_address"),
    )
    if token is not None:
        grant = request.service.sessions.open(
            token.encode(errors="surrogatepass"),
            viewer,
            is_connected=requested.get("connect", True),
        )
    else:
        grant = request.service.sessions.resume(secret, viewer)
    return render_json({"session": _render_grant(grant)}, 201)


def index(request: Request[ListedProjects]) -> Response:
    """List sessions of the caller's project, or of all projects.

    A page has fewer sessions than there are if the policy refuses some: only
    the absence of a link to the next page marks the last one.

    :raises Forbidden: the caller may not list sessions of other projects
    """
    query, projects = request.query, request.target
    project_id = query.get("project_id")
    if query.get("all_projects") != "true" and project_id is None:
        project_id = projects.own
    elif project_id != projects.own:
        projects.check_all()
    page = request.service.session_listing.page(
        SessionFilters(
            state=SessionState(query.get("state", SessionState.OPEN)),
            project_id=project_id,
            server_id=query.get("server_id", "").lower() or None,
            user_id=query.get("user_id"),
            gateway=query.get("gateway"),
        ),
        marker=query.get("marker", "").lower(),
        limit=limit_of(request),
    )
    shown = [
        _render(session)
        for session in page.sessions
        if projects.includes(session.project_id)
    ]
    return render_page(request, "sessions", shown, page.next_marker)


def show(request: Request[ListedSession]) -> Response:
    """Show a session."""
    return render_json({"session": _render(request.target)})


def delete(request: Request[ListedSession]) -> Response:
    """Cut a session; nothing happens if it is closed."""
    request.service.sessions.cut(request.target.id)
    audit.record(
        request,
        Kind.CUT,
        project_id=request.target.project_id,
        server_id=request.target.server_id,
        reason=session_reasons.CUT,
        session_id=request.target.id,
    )
    return Response(204)


def _render(session: ListedSession) -> dict[str, Any]:
    return {
        "id": session.id,
        "server_id": session.server_id,
        "project_id": session.project_id,
        "user_id": session.user_id,
        "console_type": session.console_type,
        "view_only": session.view_only,
        "gateway": session.gateway,
        "client_address": session.client_address,
        "proxy_address": session.proxy_address,
        "state": session.state,
        "created_at": _time(session.created_at),
        "connected_at": _time(session.connected_at),
        "closed_at": _time(session.closed_at),
        "close_reason": session.close_reason,
        "bytes_in": session.bytes_in,
        "bytes_out": session.bytes_out,
        "last_activity_at": _time(session.last_activity_at),
        "resumed_from": session.resumed_from,
    }


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else render_time(seconds)


def _render_grant(grant: Grant) -> dict[str, object]:
    origin = grant.origin
    rendered: dict[str, object] = {
        "id": grant.id,
        "server_id": origin.server_id,
        "project_id": origin.project_id,
        "user_id": origin.user_id,
        "console_type": origin.console_type,
        "protocol": grant.protocol,
        "compute_host": origin.compute_host,
        "host": origin.host,
        "port": origin.port,
        "tls_port": origin.tls_port,
        "internal_access_path": origin.internal_access_path,
        "view_only": origin.view_only,
        "exclusive": origin.exclusive,
        "max_duration": grant.max_duration,
        "idle_timeout": grant.idle_timeout,
        "resume_timeout": grant.resume_timeout,
    }
    if grant.secret is not None:
        rendered["secret"] = grant.secret
    return rendered
