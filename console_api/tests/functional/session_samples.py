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
_TRAFFIC = {"id": _SESSION, "bytes_in": 1532, "bytes_out": 482113}


def collect(client: Client, server_id: str) -> dict[str, Any]:
    """Return the documents by their paths, without their suffixes."""
    return {**_sessions(client, server_id), **_locks(client)}


def _sessions(client: Client, server_id: str) -> dict[str, Any]:
    gateway = f"/os-console-gateways/{_GATEWAY}"
    beat = {
        "name": "gateway1",
        "interval": 1,
        "complete": False,
        "sessions": [{**_TRAFFIC, "idle_seconds": 0}],
    }
    client.put(gateway, {"gateway": {**beat, "sessions": []}})
    request = {
        "gateway_id": _GATEWAY,
        "gateway": "gateway1",
        "client_address": "198.51.100.7",
        "proxy_address": "192.0.2.80",
    }
    created = client.post(
        f"/servers/{server_id}/remote-consoles",
        request_body("vnc", "novnc"),
        version="2.6",
    ).json["remote_console"]
    body = {"session": {**request, "token": base.token_of(created["url"])}}
    opened = client.post(_SESSIONS, body).json
    id_ = opened["session"]["id"]
    real = {**beat, "sessions": [{**beat["sessions"][0], "id": id_}]}
    client.put(gateway, {"gateway": real})
    listed = client.get(_SESSIONS).json
    shown = client.get(f"{_SESSIONS}/{id_}").json
    client.delete(f"{_SESSIONS}/{id_}")
    cut = client.put(gateway, {"gateway": {**beat, "sessions": []}}).json
    opened["session"]["secret"] = _SECRET
    for session in (
        *listed["sessions"],
        shown["session"],
        opened["session"],
        *cut["gateway"]["cut"],
    ):
        _fix(session)
    return {
        f"os-console-sessions/sessions-{name}": document
        for name, document in (
            ("post-req", {"session": {**request, "token": _TOKEN}}),
            ("post-resp", opened),
            ("list-get-resp", listed),
            ("get-resp", shown),
        )
    } | {
        f"os-console-gateways/gateways-{name}": document
        for name, document in (
            ("put-req", {"gateway": beat}),
            ("put-resp", cut),
            (
                "close-post-req",
                {"sessions": [{**_TRAFFIC, "reason": "client_closed"}]},
            ),
        )
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
