# SPDX-License-Identifier: Apache-2.0
"""The samples of the API reference, made from requests to a real server.

``python -m console_api.tests.functional.samples [FOLDER]`` writes all samples,
by default into ``doc/api_samples``.  Values that differ in each run are
replaced by constants, so that the samples change only with the API.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from console_api.db import tables
from console_api.tests.functional import (
    base,
    configuration,
    databases,
    servers,
    session_samples,
)
from console_api.tests.functional.client import Client
from console_api.tests.functional.databases import (
    TestDatabase,
    insert_console_host,
)

FOLDER = configuration.CHECKOUT / "doc" / "api_samples"

# Replacements of values that differ in each run.
URL = "http://127.0.0.1:9890"
PASSWORD = "q7WzR2mK"
CREATED_AT = "2026-01-15T11:00:00+00:00"
LAST_SEEN_AT = "2026-01-15T12:00:00+00:00"

_PROJECT = "5f1d2c3b4a69788796a5b4c3d2e1f001"
_SERVER = "b7b47a1c-6f4e-4b3c-8c0e-5d2a5a1a0f10"
_COMPUTE_HOST = "compute1.example.org"
_CONSOLES = f"/servers/{_SERVER}/consoles"
_ENDPOINTS = {
    "vnc": {"port": 5900},
    "spice": {"port": 5900, "tls_port": 5901},
    "rdp": {"port": 2179, "internal_access_path": _SERVER},
    "serial": {"port": 10000},
    "mks": {"port": 902},
}

# Folder, microversion, name, protocol and type.
_REMOTE_CONSOLES = (
    ("v2.6", "2.6", "create-vnc-console", "vnc", "novnc"),
    ("v2.8", "2.8", "create-mks-console", "mks", "webmks"),
    ("v2.99", "2.99", "create-spice-direct-console", "spice", "spice-direct"),
)

# Name, action and type.
_ACTIONS = (
    ("get-vnc-console-post", "os-getVNCConsole", "novnc"),
    ("get-spice-console-post", "os-getSPICEConsole", "spice-html5"),
    ("get-rdp-console-post", "os-getRDPConsole", "rdp-html5"),
    ("get-serial-console-post", "os-getSerialConsole", "serial"),
)


def collect() -> dict[str, Any]:
    """Return the documents of all samples by their paths in the folder."""
    database = configuration.migrate(databases.create("sqlite"))
    _prepare(database)
    server = servers.start(database)
    try:
        client = server.client(user="admin", project=_PROJECT)
        found = {
            **_versions(client),
            **_consoles(client),
            **_console_hosts(client),
            **_remote_consoles(client),
            **_connection_infos(client),
            **session_samples.collect(client, _SERVER),
        }
        text = json.dumps(found).replace(server.url, URL)
    finally:
        server.stop()
    return {f"{path}.json": doc for path, doc in json.loads(text).items()}


def render(document: Any) -> str:
    """Return the text of a sample."""
    return json.dumps(document, indent=4, sort_keys=True) + "\n"


def main() -> None:
    """Write all samples."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else FOLDER
    for path, document in collect().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(render(document))


def _prepare(database: TestDatabase) -> None:
    database.execute(
        tables.servers.insert(),
        {
            "uuid": _SERVER,
            "project_id": _PROJECT,
            "name": "web1",
            "instance_name": "instance-00000001",
            "compute_host": _COMPUTE_HOST,
        },
    )
    for protocol, endpoint in _ENDPOINTS.items():
        database.execute(
            tables.server_endpoints.insert(),
            {
                "server_id": _SERVER,
                "protocol": protocol,
                "host": "192.0.2.10",
                **endpoint,
            },
        )
    insert_console_host(
        database,
        {
            "host": "console1",
            "console_type": "vnc+xvp",
            "public_hostname": "console1.example.org",
            "compute_hosts": _COMPUTE_HOST,
            "min_port": 28011,
            "max_port": 28011,
            "enabled": True,
            "console_count": 0,
        },
    )
    # In place of its agent.
    database.execute(
        tables.console_host_heartbeats.update(),
        {
            "version": "1.0.0",
            "driver": "xvp",
            "served_revision": 1,
            "served_count": 1,
        },
    )


def _versions(client: Client) -> dict[str, Any]:
    return {
        f"versions/{name}-get-resp": client.get(path, prefix="").json
        for name, path in (
            ("versions", "/"),
            ("v2-version", "/v2/"),
            ("v21-version", "/v2.1/"),
        )
    }


def _consoles(client: Client) -> dict[str, Any]:
    client.post(_CONSOLES)
    shown = client.get(f"{_CONSOLES}/1").json
    shown["console"]["password"] = PASSWORD
    listed = client.get("/os-consoles?limit=1").json
    for console in listed["consoles"]:
        console["created_at"] = CREATED_AT
    return {
        "consoles/consoles-list-get-resp": client.get(_CONSOLES).json,
        "consoles/consoles-get-resp": shown,
        "os-consoles/consoles-list-all-get-resp": listed,
    }


def _console_hosts(client: Client) -> dict[str, Any]:
    path = "/os-console-hosts/vnc+xvp/console1"
    body = {"console_host": {"enabled": False}}
    found = {
        "list-get": client.get("/os-console-hosts").json,
        "get": client.get(path).json,
        "put": client.request("PUT", path, body=body).json,
    }
    for document in found.values():
        hosts = document.get("console_hosts") or document.values()
        for host in hosts:
            host["last_seen_at"] = LAST_SEEN_AT
    prefix = "os-console-hosts/console-hosts"
    return {
        f"{prefix}-put-req": body,
        **{f"{prefix}-{name}-resp": each for name, each in found.items()},
    }


def _remote_consoles(client: Client) -> dict[str, Any]:
    found = {}
    for folder, version, name, protocol, console_type in _REMOTE_CONSOLES:
        path = f"os-remote-consoles/{folder}/{name}"
        body = {"remote_console": {"protocol": protocol, "type": console_type}}
        found[f"{path}-req"] = body
        found[f"{path}-resp"] = _create(
            client, "remote-consoles", body, version
        )
    path = "os-remote-consoles/v2.6/create-view-only-console"
    body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    found[f"{path}-req"] = body
    found[f"{path}-resp"] = _create(
        client, "remote-consoles/view-only", body, "2.6"
    )
    for name, action, console_type in _ACTIONS:
        path = f"os-remote-consoles/{name}"
        body = {action: {"type": console_type}}
        found[f"{path}-req"] = body
        found[f"{path}-resp"] = _create(client, "action", body, "2.1")
    return found


def _create(client: Client, path: str, body: Any, version: str) -> Any:
    reply = client.post(f"/servers/{_SERVER}/{path}", body, version=version)
    document = reply.json
    [console] = document.values()
    fixed = _fixed_token(console["type"])
    console["url"] = console["url"].replace(
        base.token_of(console["url"]), fixed
    )
    return document


def _connection_infos(client: Client) -> dict[str, Any]:
    folder = "os-console-auth-tokens"
    found = {}
    for path, version, protocol, console_type in (
        (folder, "2.31", "rdp", "rdp-html5"),
        (f"{folder}/v2.99", "2.99", "spice", "spice-direct"),
    ):
        body = {"remote_console": {"protocol": protocol, "type": console_type}}
        created = client.post(
            f"/servers/{_SERVER}/remote-consoles", body, version="2.99"
        ).json
        token = base.token_of(created["remote_console"]["url"])
        found[f"{path}/get-console-connect-info-get-resp"] = client.get(
            f"/os-console-auth-tokens/{token}", version=version
        ).json
    found["faults/item-not-found-resp"] = client.get(
        "/os-console-auth-tokens/unknown"
    ).json
    return found


def _fixed_token(console_type: str) -> str:
    """Return a constant that looks like a token, one for each type."""
    digest = hashlib.sha256(console_type.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


if __name__ == "__main__":
    main()
