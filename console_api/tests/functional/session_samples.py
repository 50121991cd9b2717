# SPDX-License-Identifier: Apache-2.0
"""The samples of sessions, gateways and locks."""

from typing import Any

from console_api.tests.functional import base
from console_api.tests.functional.client import Client
from console_api.tests.functional.remote_consoles import request_body

# Replacements of values that differ in each run.
_AT = "2026-01-15T12:00:00+00:00"
_TOKEN = "Zr3kq9WmVt5uXy7BnC1dEf2gHj4KlM6pQs8RwTa0vYo"
_SECRET = "b0K8cJx4mN2vRz6QwEyTpUaSdFgHjLkZxCvBnM1qW3e"
_SESSION = "0c5b3f6e-8f43-4d0c-9d39-6a5f0e7c2b11"
_GATEWAY = "7e1d9a52-0b7c-4f27-a8d4-3c6e5f9b8a10"

_SESSIONS = "/os-console-sessions"
_GATEWAYS = f"/os-console-gateways/{_GATEWAY}"
_TRAFFIC = {"id": _SESSION, "bytes_in": 1532, "bytes_out": 482113}

_OPENING = {
    "gateway_id": _GATEWAY,
    "gateway": "gateway1",
    "client_address": "198.51.100.7",
    "proxy_address": "192.0.2.80",
}
_BEAT: dict[str, Any] = {
    "name": "gateway1",
    # It must not count as lost while the samples are made.
    "interval": 10,
    "complete": False,
    "sessions": [{**_TRAFFIC, "idle_seconds": 0}],
}


def collect(client: Client, server_id: str) -> dict[str, Any]:
    """Return the documents by their paths, without their suffixes."""
    _beat(client)
    return {
        **_sessions(client, server_id),
        **_gateways(client),
        **_locks(client),
    }


def _beat(client: Client, *sessions: dict[str, Any]) -> dict[str, Any]:
    """Send a heartbeat; return the response."""
    beat = {**_BEAT, "sessions": sessions}
    return client.put(_GATEWAYS, {"gateway": beat}).json


def _sessions(client: Client, server_id: str) -> dict[str, Any]:
    """Open a session, and cut it."""
    created = client.post(
        f"/servers/{server_id}/remote-consoles",
        request_body("vnc", "novnc"),
        version="2.6",
    ).json["remote_console"]
    body = {"session": {**_OPENING, "token": base.token_of(created["url"])}}
    opened = client.post(_SESSIONS, body).json
    id_ = opened["session"]["id"]
    _beat(client, {**_BEAT["sessions"][0], "id": id_})
    listed = client.get(_SESSIONS).json
    shown = client.get(f"{_SESSIONS}/{id_}").json
    client.delete(f"{_SESSIONS}/{id_}")
    opened["session"]["secret"] = _SECRET
    for session in (*listed["sessions"], shown["session"], opened["session"]):
        _fix(session)
    return {
        f"os-console-sessions/sessions-{name}": document
        for name, document in (
            ("post-req", {"session": {**_OPENING, "token": _TOKEN}}),
            ("post-resp", opened),
            ("list-get-resp", listed),
            ("get-resp", shown),
        )
    }


def _gateways(client: Client) -> dict[str, Any]:
    """Send a heartbeat, whose response cuts the session."""
    cut = _beat(client)
    for session in cut["gateway"]["cut"]:
        _fix(session)
    close = {"sessions": [{**_TRAFFIC, "reason": "client_closed"}]}
    return {
        "os-console-gateways/gateways-put-req": {"gateway": _BEAT},
        "os-console-gateways/gateways-put-resp": cut,
        "os-console-gateways/gateways-close-post-req": close,
    }


def _locks(client: Client) -> dict[str, Any]:
    path = "/os-console-locks"
    body = {"lock": {"reason": "Access is under review."}}
    stored = client.put(f"{path}/user/6b1f0d2c9e8a4c37", body).json
    listed = client.get(path).json
    for lock in (stored["lock"], *listed["locks"]):
        _fix(lock)
    return {
        "os-console-locks/locks-put-req": body,
        "os-console-locks/locks-put-resp": stored,
        "os-console-locks/locks-list-get-resp": listed,
    }


def _fix(document: dict[str, Any]) -> None:
    """Replace what differs in each run."""
    for name, value in document.items():
        if name.endswith("_at") and value is not None:
            document[name] = _AT
        elif name == "id":
            document[name] = _SESSION
