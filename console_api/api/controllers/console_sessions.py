# SPDX-License-Identifier: Apache-2.0
"""Sessions through gateways."""

from console_api import errors
from console_api.api.request import Request
from console_api.api.response import Response, render_json
from console_api.sessions.manager import Grant, Viewer


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
    return render_json({"session": _render(grant)}, 201)


def _render(grant: Grant) -> dict[str, object]:
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
