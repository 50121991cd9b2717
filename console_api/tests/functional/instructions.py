# SPDX-License-Identifier: Apache-2.0
"""Count the Python instructions that a request takes.

Counts do not depend on the load of the machine, as times would.  ``python -m
console_api.tests.functional.instructions`` records those of the Python that
runs it for ``test_instructions``.
"""

import functools
import io
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from console_api.api import loader
from console_api.db import tables
from console_api.tests.functional import configuration, databases
from console_api.tests.functional.databases import TestDatabase
from console_api.tokens.manager import hash_token

RECORD = Path(__file__).with_suffix(".json")

#: The minor version of Python: each compiles to different instructions.
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

# How much more than recorded is too much; and than recorded for another
# version of Python, whose counts differ by up to an eighth.
_TOLERANCE = 1.1
_TOLERANCE_OF_OTHER_VERSION = 1.3

SERVER = "b7b47a1c-6f4e-4b3c-8c0e-5d2a5a1a0f10"

# Enough requests to fill all caches and open all connections.
_WARM_UP = 20


def limits() -> dict[str, float]:
    """Return the highest acceptable count of each operation.

    Without a record for this version of Python, those of the newest recorded
    version apply, with more tolerance.
    """
    record = json.loads(RECORD.read_text())
    if PYTHON in record:
        counts, tolerance = record[PYTHON], _TOLERANCE
    else:
        newest = max(record, key=lambda version: int(version.split(".")[1]))
        counts, tolerance = record[newest], _TOLERANCE_OF_OTHER_VERSION
    return {name: count * tolerance for name, count in counts.items()}


def count(run: Callable[[], None]) -> int:
    """Return the number of instructions that a call of a function takes."""
    if sys.version_info >= (3, 12):
        return _count_by_monitoring(run)
    return _count_by_tracing(run)


def _count_by_monitoring(run: Callable[[], None]) -> int:
    counted = 0

    def increment(_code: CodeType, _offset: int) -> None:
        nonlocal counted
        counted += 1

    monitoring = sys.monitoring
    tool, event = monitoring.PROFILER_ID, monitoring.events.INSTRUCTION
    monitoring.use_tool_id(tool, __name__)
    monitoring.register_callback(tool, event, increment)
    monitoring.set_events(tool, event)
    try:
        run()
    finally:
        monitoring.set_events(tool, 0)
        monitoring.register_callback(tool, event, None)
        monitoring.free_tool_id(tool)
    return counted


def _count_by_tracing(run: Callable[[], None]) -> int:
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
        # Coverage is measured by tracing, too.
        sys.settrace(before)
    return counted


def count_operations() -> dict[str, int]:
    """Count one request of each operation, on SQLite, in this process.

    :returns: the counts by operation
    """
    database = configuration.migrate(databases.create("sqlite"))
    application = loader.load_application(
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
        "look up a token": ("GET", "/v2.1/os-console-auth-tokens/token"),
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
    # Log levels that another test has set do not matter.
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
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1",
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
    databases.insert_console_host(
        database,
        {
            "host": "console-1",
            "console_type": "vnc",
            "public_hostname": "console-1.example.org",
            "compute_hosts": "*",
            "multiplex_port": 443,
            "enabled": True,
            "console_count": 0,
        },
    )


def main() -> None:
    """Record the counts of this version of Python."""
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    record[PYTHON] = count_operations()
    RECORD.write_text(json.dumps(record, indent=4, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
