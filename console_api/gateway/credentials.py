# SPDX-License-Identifier: Apache-2.0
"""Tokens and secrets in requests.

A page exchanges its token for a secret.  Over HTTPS, the secret is in a
cookie that scripts cannot read; each console has one of its own, named after
its key.  Over plain HTTP, where no cookie reaches a page in a frame of another
site, the page keeps it and sends it as a subprotocol.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qs

from console_api.gateway.brokers.base import Credential, Grant

#: Longer tokens and secrets are not read.
MAX_LENGTH = 512

# A longer query has no token.
_MAX_FIELDS = 32

# First letter of the keys of SPICE consoles.
_SPICE = "s"

# Console types of the pages in URLs that exist today.
_TYPES = {
    "vnc.html": "novnc",
    "vnc_auto.html": "novnc",
    "vnc_lite.html": "novnc",
    "spice_auto.html": "spice-html5",
    "serial.html": "serial",
}

# Horizon's page of serial consoles offers it; noVNC does so no longer.
_SERIAL_SUBPROTOCOL = "base64"

_KEY = re.compile(r"[A-Za-z0-9_-]{23}")
_SUBPROTOCOL_PREFIX = "console."
_CONNECT = "/connect/"


def new_key(console_type: str) -> str:
    """Return a random key for a console, which opens nothing.

    Its first letter is that of the protocol: all channels of a SPICE console
    connect with the same key.
    """
    letter = _SPICE if console_type.startswith("spice") else "c"
    return letter + secrets.token_urlsafe(16)


def cookie(key: str, grant: Grant, path: str) -> str:
    """Return the Set-Cookie header with the secret of a console.

    :param path: of the gateway, with a slash at the end
    """
    max_age = ""
    if grant.max_duration:
        max_age = f"; Max-Age={grant.max_duration + grant.resume_timeout}"
    # A frame on another site gets its cookie only if it is partitioned.
    return (
        f"console-{key}={grant.secret}; Path={path}{max_age}; HttpOnly; "
        "Secure; SameSite=None; Partitioned"
    )


def find(
    path: str, query: str, cookies: Mapping[str, str], subprotocols: str
) -> Credential | None:
    """Return the credential of a request for a WebSocket.

    :param path: without the gateway's prefix
    :param subprotocols: value of Sec-WebSocket-Protocol
    """
    if (key := connect_key(path)) is not None:
        secret = cookies.get(f"console-{key}") or _subprotocol(subprotocols)
        if not key or not secret or len(secret) > MAX_LENGTH:
            return None
        return Credential(secret=secret)
    try:
        values = parse_qs(query, max_num_fields=_MAX_FIELDS).get("token", [])
    except ValueError:
        return None
    # The page of spice-html5 sets the cookie.
    token = values[0] if values else cookies.get("token")
    if not token or len(token) > MAX_LENGTH:
        return None
    console_type = None
    if not values:
        console_type = "spice-html5"
    elif _SERIAL_SUBPROTOCOL in subprotocols:
        console_type = "serial"
    return Credential(token=token, console_type=console_type)


def read(document: object) -> Credential | None:
    """Return the credential in a page's request for an exchange.

    :returns: None if the request is malformed
    """
    if not isinstance(document, dict):
        return None
    token, page = document.get("token"), document.get("page")
    if not isinstance(token, str) or not 0 < len(token) <= MAX_LENGTH:
        return None
    console_type = _TYPES.get(page) if isinstance(page, str) else None
    return Credential(token=token, console_type=console_type)


def connect_key(path: str) -> str | None:
    """Return the key in the path of a page's WebSocket.

    :returns: None for the path of another WebSocket, and an empty string for
        an invalid key
    """
    if not path.startswith(_CONNECT):
        return None
    key = path.removeprefix(_CONNECT)
    return key if _KEY.fullmatch(key) else ""


def is_spice(path: str) -> bool:
    """Return whether a WebSocket is that of a SPICE console's page."""
    return (connect_key(path) or "").startswith(_SPICE)


def _subprotocol(subprotocols: str) -> str | None:
    for offered in subprotocols.split(","):
        name = offered.strip()
        if not name.startswith(_SUBPROTOCOL_PREFIX):
            continue
        encoded = name.removeprefix(_SUBPROTOCOL_PREFIX)
        if len(encoded) > 2 * MAX_LENGTH:
            continue
        try:
            padding = "=" * (-len(encoded) % 4)
            return base64.urlsafe_b64decode(encoded + padding).decode()
        except (binascii.Error, ValueError):
            continue
    return None
