# SPDX-License-Identifier: Apache-2.0
"""Remote console types: their protocols and the access URLs of each.

Facts of the wire from Nova 34.0.0: which types a protocol has, and that a
``novnc`` URL carries the token inside its ``path`` query value.
"""

from collections.abc import Mapping
from urllib.parse import (
    parse_qsl,
    quote,
    urlencode,
    urlsplit,
    urlunsplit,
)

#: The console types of remote consoles, by the protocol that they speak.
TYPES_OF_PROTOCOL: Mapping[str, frozenset[str]] = {
    "vnc": frozenset({"novnc", "xvpvnc"}),
    "spice": frozenset({"spice-html5", "spice-direct"}),
    "rdp": frozenset({"rdp-html5"}),
    "serial": frozenset({"serial"}),
    "mks": frozenset({"webmks"}),
}


def access_url(console_type: str, base_url: str, token: str) -> str:
    """Return the URL that opens a remote console with a token.

    What the base URL's query holds besides is kept.
    """
    parts = urlsplit(base_url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    if console_type == "novnc":
        # The page passes its `path` on as the path of the WebSocket.
        path = dict(query).get("path", "")
        joint = "&" if "?" in path else "?"
        query = [item for item in query if item[0] != "path"]
        query.append(("path", f"{path}{joint}token={token}"))
    else:
        query.append(("token", token))
    encoded = urlencode(query, quote_via=quote, safe="")
    return urlunsplit(parts._replace(query=encoded))
