# SPDX-License-Identifier: Apache-2.0
"""What a console auth token stands for."""

from microversion_parse import Version

from console_api import errors
from console_api.api.request import Request
from console_api.api.response import Response, render_json
from console_api.policies import console_auth_tokens as policies

# From here on every console type is looked up, not only this one.
_ALL_TYPES = Version(2, 31)
_ONLY_TYPE_BEFORE = "rdp-html5"

# From here on the TLS port of this console type is shown.
_TLS_PORT = Version(2, 99)
_TLS_PORT_TYPE = "spice-direct"


def show(request: Request) -> Response:
    """Show where the server's screen is that a token gives access to.

    The policy is asked twice: before the look-up, as if the token were of
    the caller's own project, so that without the role nobody learns whether
    a token exists; then for the project of the token's server.
    """
    context = request.context
    allows = request.service.enforcer.allows
    if not allows(context, policies.SHOW, context.project_id):
        raise errors.Forbidden(policies.SHOW)
    token = request.path["console_token"].encode("latin-1")
    info = request.service.tokens.check(token)
    if not allows(context, policies.SHOW, info.project_id):
        raise errors.TokenNotFound
    if request.version < _ALL_TYPES and info.console_type != _ONLY_TYPE_BEFORE:
        raise errors.TokenTypeNotAccessible
    console = {
        "instance_uuid": info.server_id,
        "host": info.host,
        "port": info.port,
        "internal_access_path": info.internal_access_path,
    }
    if request.version >= _TLS_PORT and info.console_type == _TLS_PORT_TYPE:
        console["tls_port"] = info.tls_port
    return render_json({"console": console})
