# SPDX-License-Identifier: Apache-2.0
"""Access URLs of remote consoles."""

import functools
from urllib.parse import (
    parse_qsl,
    quote,
    urlencode,
    urlsplit,
    urlunsplit,
)


def access_url(console_type: str, base_url: str, token: str) -> str:
    """Return the URL that opens a remote console with a token.

    As in Nova 34.0.0, the token of a ``novnc`` URL is in the query of its
    ``path`` parameter, and that of other URLs is the ``token`` parameter.

    :param base_url: the URL of the page or proxy; its other query parameters
        and its fragment are kept
    :param token: characters that need no quoting
    """
    before, after = _around_token(console_type, base_url)
    return f"{before}{token}{after}"


@functools.lru_cache
def _around_token(console_type: str, base_url: str) -> tuple[str, str]:
    """Return the parts of a URL before and after the token.

    Cached because there are few of them, and composing a URL takes longer
    than the token does.
    """
    parts = urlsplit(base_url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    if console_type == "novnc":
        # noVNC connects its WebSocket to the path in `path`.
        path = dict(query).get("path", "")
        separator = "&" if "?" in path else "?"
        query = [item for item in query if item[0] != "path"]
        query.append(("path", f"{path}{separator}token="))
    else:
        query.append(("token", ""))
    encoded = urlencode(query, quote_via=quote, safe="")
    before = urlunsplit(parts._replace(query=encoded, fragment=""))
    return before, f"#{parts.fragment}" if parts.fragment else ""
