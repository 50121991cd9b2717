# SPDX-License-Identifier: Apache-2.0
"""Console auth tokens."""

from microversion_parse import Version

from console_api import errors
from console_api.api.request import Request
from console_api.api.response import Response, render_json
from console_api.tokens.manager import ConnectionInfo

# The first microversion that looks up every console type, and the only one
# that those before it look up.
_ALL_TYPES = Version(2, 31)
_ONLY_TYPE_BEFORE = "rdp-html5"

# The first microversion that shows the TLS port of this console type.
_TLS_PORT = Version(2, 99)
_TLS_PORT_TYPE = "spice-direct"


def show(request: Request[ConnectionInfo]) -> Response:
    """Show the connection info of a token.

    :raises TokenTypeNotAccessible: the microversion does not support the
        token's console type
    """
    info = request.target
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


def delete(request: Request[bytes]) -> Response:
    """Revoke a token.

    :raises TokenNotFound: it was revoked concurrently
    """
    request.service.tokens.revoke(request.target)
    return Response(204)
