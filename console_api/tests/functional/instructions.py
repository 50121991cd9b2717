# SPDX-License-Identifier: Apache-2.0
"""How many instructions of Python a request takes; counted, not timed.

``python -m console_api.tests.functional.instructions`` records the counts of
the Python that runs it, for ``test_instructions`` to compare with.
"""

import functools
import io
import json
import logging
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from console_api.api import pipeline
from console_api.db import tables
from console_api.tests.functional import configuration, databases
from console_api.tests.functional.databases import ALWAYS_UP, TestDatabase
from console_api.tokens.manager import hash_token

RECORD = Path(__file__).with_suffix(".json")

#: Counts are of one minor version of Python: each compiles differently.
PYTHON = ".".join(platform.python_version_tuple()[:2])

SERVER = "b7b47a1c-6f4e-4b3c-8c0e-5d2a5a1a0f10"

# As often as it takes for caches to be full and connections to be open.
_WARM_UP = 20


def count(run: Callable[[], None]) -> int:
    """Return how many instructions a function takes, with all it calls."""
    counted = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal counted
        if event == "call":
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
        elif event == "opcode":
            counted += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        # Coverage is measured in the same way, and goes on.
        sys.settrace(before)
    return counted


def count_operations() -> dict[str, int]:
    """Count one request of each operation, on SQLite, in this process."""
    database = configuration.migrate(databases.create("sqlite"))
    application = pipeline.load_application(
        configuration.write(configuration.temporary_folder(), database)
    )

    def send(method: str, path: str, body: bytes = b"") -> None:
        def start(status: str, _headers: Any, _exc_info: Any = None) -> None:
            assert status < "3", status

        environ = _environ(method, path, body)
        b"".join(application(environ, start))

    _fill(database)
    consoles = f"/v2.1/servers/{SERVER}/consoles"
    send("POST", consoles)
    requests = {
        "look a token up": ("GET", "/v2.1/os-console-auth-tokens/token"),
        "list": ("GET", consoles),
        "show": ("GET", f"{consoles}/1"),
        "create again": ("POST", consoles),
        "create a token": (
            "POST",
            f"/v2.1/servers/{SERVER}/remote-consoles",
            b'{"remote_console": {"protocol": "vnc", "type": "novnc"}}',
        ),
    }
    counts = {}
    # Whatever level another test has set: what is logged is not counted.
    logging.disable()
    for name, request in requests.items():
        for _ in range(_WARM_UP):
            send(*request)
        counts[name] = count(functools.partial(send, *request))
    logging.disable(logging.NOTSET)
    return counts


def _environ(method: str, path: str, body: bytes) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "CONTENT_TYPE": "application/json",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_X_AUTH_TOKEN": "admin:demo",
        "HTTP_OPENSTACK_API_VERSION": "compute 2.31",
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
    }


def _fill(database: TestDatabase) -> None:
    database.execute(
        tables.servers.insert(),
        {
            "uuid": SERVER,
            "project_id": "demo",
            "name": "sample",
            "instance_name": "instance-00000001",
            "compute_host": "compute-1",
        },
    )
    endpoint = {"host": "192.0.2.10", "port": 5900, "server_id": SERVER}
    database.execute(
        tables.server_endpoints.insert(), {"protocol": "vnc", **endpoint}
    )
    database.execute(
        tables.console_auth_tokens.insert(),
        {
            "token_hash": hash_token(b"token"),
            "console_type": "novnc",
            "expires_at": 2**40,
            **endpoint,
        },
    )
    database.execute(
        tables.console_hosts.insert(),
        {
            "host": "console-1",
            "console_type": "vnc",
            "public_hostname": "console-1.example.org",
            "compute_hosts": "*",
            "multiplex_port": 443,
            "enabled": True,
            "console_count": 0,
            "last_seen_at": ALWAYS_UP,
        },
    )


def main() -> None:
    """Record the counts of this Python."""
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    record[PYTHON] = count_operations()
    RECORD.write_text(json.dumps(record, indent=4, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
