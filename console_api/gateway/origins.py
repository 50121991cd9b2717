# SPDX-License-Identifier: Apache-2.0
"""Which pages may open WebSockets (CVE-2015-0259).

A browser names the origin of the page that opens a WebSocket.  It is allowed
if it is that of the gateway, or an option lists it.  A client without one is
no browser, and no page can act through it.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}

_Origin = tuple[str, str, int]


class Origins:
    """Origins whose pages may open WebSockets."""

    def __init__(self, allowed: Iterable[str]) -> None:
        """Prepare the check.

        :param allowed: origins besides that of the gateway
        :raises ValueError: one of them is not an origin
        """
        self._allowed = set()
        for text in allowed:
            origin = _parse(text)
            if origin is None:
                raise ValueError(f"{text} is not an origin")
            self._allowed.add(origin)

    def is_allowed(self, origin: str | None, scheme: str, host: str) -> bool:
        """Return whether a page may open a WebSocket.

        :param origin: value of the Origin header
        :param scheme: of the request, http or https
        :param host: value of the Host header
        """
        return (
            origin is None
            or is_same(origin, scheme, host)
            or _parse(origin) in self._allowed
        )


def is_same(origin: str, scheme: str, host: str) -> bool:
    """Return whether an origin is that of a request.

    :param scheme: of the request, http or https
    :param host: value of the Host header
    """
    parsed = _parse(origin)
    return parsed is not None and parsed == _parse(f"{scheme}://{host}")


def _parse(text: str) -> _Origin | None:
    """Return scheme, host and port of an origin; None if it is not one."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    default_port = _DEFAULT_PORTS.get(parts.scheme)
    is_bare = text.lower() == f"{parts.scheme}://{parts.netloc.lower()}"
    if default_port is None or not parts.hostname or not is_bare:
        return None
    if parts.username is not None:
        return None
    return parts.scheme, parts.hostname, port or default_port
